<?php

declare(strict_types=1);

namespace Benches;

/** A way to call Python from PHP. */
abstract class Peer
{
    /** A new object of a Python class of benches/classes, with the methods that it has there. */
    abstract public function create(string $class): object;

    /** Bytes to the object's method `echo` and back. */
    abstract public function echo(object $bench, string $bytes): string;

    /** What a method returned, as PHP has it: scalars and arrays. */
    public function value(mixed $value): mixed
    {
        return $value;
    }
}
