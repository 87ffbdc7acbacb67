<?php

declare(strict_types=1);

namespace Benches\Peers;

use Benches\RemotePeer;

/** Eight digits of length and then JSON, over TCP. */
final class JsonSocket extends RemotePeer
{
    /** @var resource */
    private readonly mixed $stream;

    public function __construct(string $address)
    {
        $this->stream = self::connect($address);
    }

    public function echo(object $bench, string $bytes): string
    {
        return base64_decode($bench->echo_base64(base64_encode($bytes)), true);
    }

    protected function exchange(array $request): array
    {
        $message = json_encode($request, \JSON_THROW_ON_ERROR);
        fwrite($this->stream, \sprintf('%08d', \strlen($message)) . $message);
        $length = (int) self::receive($this->stream, 8);

        return json_decode(self::receive($this->stream, $length), true, flags: \JSON_THROW_ON_ERROR);
    }
}
