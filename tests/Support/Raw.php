<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** Bytes that stand in a value as they are. */
final class Raw
{
    public function __construct(public readonly string $bytes) {}

    /** MessagePack's `bin 32`. */
    public static function binary(string $bytes): self
    {
        return new self("\xc6" . pack('N', \strlen($bytes)) . $bytes);
    }
}
