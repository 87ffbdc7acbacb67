<?php

declare(strict_types=1);

namespace Benches\Peers;

use Benches\Peer;

/** CPython inside the PHP process. The address is the folder of a venv's packages. */
final class Phpy extends Peer
{
    private readonly object $module;

    public function __construct(string $packages)
    {
        $path = \PyCore::import('sys')->path;
        foreach ([$packages, \dirname(__DIR__, 2) . '/servers', \dirname(__DIR__, 2) . '/classes'] as $folder) {
            $path->insert(0, $folder);
        }
        $this->module = \PyCore::import('Bench');
    }

    public function create(string $class): object
    {
        return $class === 'Bench' ? $this->module->Bench() : \PyCore::import('objects')->create($class, []);
    }

    public function echo(object $bench, string $bytes): string
    {
        return \PyCore::scalar($bench->echo(\PyCore::bytes($bytes)));
    }

    public function value(mixed $value): mixed
    {
        return \is_object($value) ? \PyCore::scalar($value) : $value;
    }
}
