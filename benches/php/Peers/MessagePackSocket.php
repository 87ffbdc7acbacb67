<?php

declare(strict_types=1);

namespace Benches\Peers;

use Benches\RemotePeer;

/** Four bytes of length and then MessagePack, over a Unix socket. */
final class MessagePackSocket extends RemotePeer
{
    /** @var resource */
    private readonly mixed $stream;

    public function __construct(string $address)
    {
        $this->stream = self::connect($address);
    }

    /** PHP's msgpack sends every string as text. So the list of one binary is written by hand behind the rest. */
    public function echo(object $bench, string $bytes): string
    {
        $request = ['op' => 'call', 'object' => $bench->number, 'name' => 'echo', 'arguments' => 0];
        $message = substr(msgpack_pack($request), 0, -1) . "\x91\xc6" . pack('N', \strlen($bytes)) . $bytes;

        return $this->send($message)['result'];
    }

    protected function exchange(array $request): array
    {
        return $this->send(msgpack_pack($request));
    }

    private function send(string $message): array
    {
        fwrite($this->stream, pack('N', \strlen($message)) . $message);

        return msgpack_unpack(self::receive($this->stream, unpack('N', self::receive($this->stream, 4))[1]));
    }
}
