<?php

declare(strict_types=1);

namespace Benches;

/** A peer that sends requests as servers/objects.py understands them. */
abstract class RemotePeer extends Peer
{
    /** @throws \RuntimeException if the server says so */
    final public function request(string $op, int $object, string $name, array $arguments): mixed
    {
        $reply = $this->exchange(['op' => $op, 'object' => $object, 'name' => $name, 'arguments' => $arguments]);

        return isset($reply['error']) ? throw new \RuntimeException($reply['error']) : $reply['result'];
    }

    final public function create(string $class): RemoteObject
    {
        return new RemoteObject($this, $this->request('new', 0, $class, []));
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @param array<string, mixed> $request
     *
     * @return array<string, mixed>
     */
    abstract protected function exchange(array $request): array;

    /**
     * @param string $address of stream_socket_client()
     *
     * @return resource
     */
    final protected static function connect(string $address): mixed
    {
        return stream_socket_client($address, $code, $message, 10)
            ?: throw new \RuntimeException("cannot connect to {$address}: {$message}");
    }

    /**
     * @param resource $stream
     * @param positive-int $bytes
     */
    final protected static function receive(mixed $stream, int $bytes): string
    {
        $text = stream_get_contents($stream, $bytes);

        return \strlen((string) $text) === $bytes ? $text : throw new \RuntimeException('the server is gone');
    }
}
