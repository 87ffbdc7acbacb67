<?php

declare(strict_types=1);

namespace Benches;

/** An object in the table of a server that people write by hand. */
final class RemoteObject
{
    public function __construct(private readonly RemotePeer $peer, public readonly int $number) {}

    public function __call(string $method, array $arguments): mixed
    {
        return $this->peer->request('call', $this->number, $method, $arguments);
    }

    public function __destruct()
    {
        $this->peer->request('delete', $this->number, '', []);
    }
}
