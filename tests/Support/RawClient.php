<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** A client of a sidecar that sends what the test says, and need not keep to the wire. */
final class RawClient
{
    /** @var resource */
    private $stream;

    public function __construct(string $address)
    {
        $stream = stream_socket_client($address, timeout: 30);
        if ($stream === false) {
            throw new \RuntimeException("cannot connect to {$address}");
        }
        stream_set_timeout($stream, 30);
        $this->stream = $stream;
    }

    /** Sends bytes; that the peer has closed already is no error. */
    public function send(string $bytes): self
    {
        @fwrite($this->stream, $bytes);
        fflush($this->stream);

        return $this;
    }

    /** Sends nothing more, and still reads. */
    public function endSending(): self
    {
        stream_socket_shutdown($this->stream, \STREAM_SHUT_WR);

        return $this;
    }

    public function close(): void
    {
        fclose($this->stream);
    }

    /**
     * The next frame; null if the peer has closed the connection.
     *
     * @return ?array{kind: int, call: int, payload: string}
     * @throws \RuntimeException if nothing comes, or the peer closes in the middle
     */
    public function receive(): ?array
    {
        $head = $this->read(Frames::HEADER_BYTES);
        if ($head === '') {
            return null;
        }
        $fields = unpack('Nlength/Ckind/Cflags/ncpu/Jcall', $head);

        return ['kind' => $fields['kind'], 'call' => $fields['call'], 'payload' => $this->read($fields['length'])];
    }

    private function read(int $count): string
    {
        $read = '';
        while (\strlen($read) < $count) {
            $chunk = @fread($this->stream, $count - \strlen($read));
            if ($chunk === '' || $chunk === false) {
                if (stream_get_meta_data($this->stream)['timed_out']) {
                    throw new \RuntimeException('the peer neither answers nor closes');
                }
                if ($read !== '') {
                    throw new \RuntimeException('the peer closed in the middle of a frame: ' . bin2hex($read));
                }

                return '';
            }
            $read .= $chunk;
        }

        return $read;
    }
}
