<?php

declare(strict_types=1);

namespace Benches\Peers;

use Benches\Peer;

/** Tortoise, over what the settings of this PHP ask for. */
final class Tortoise extends Peer
{
    /** @param string $channel what it must be, as Tortoise\status() calls it */
    public function __construct(string $channel)
    {
        new \Bench();
        $true = \Tortoise\status()['channel'] ?? 'unknown';
        if ($true !== $channel) {
            throw new \RuntimeException("this was to measure {$channel}, but Tortoise speaks over {$true}");
        }
    }

    public function create(string $class): object
    {
        return new $class();
    }

    public function echo(object $bench, string $bytes): string
    {
        return $bench->echo(new \Tortoise\Bytes($bytes));
    }
}
