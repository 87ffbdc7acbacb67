<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** Bytes of the wire (docs/protocol.md), for a test that plays one of the two sides. */
final class Frames
{
    public const HELLO = 0x01;
    public const WELCOME = 0x02;
    public const REFUSAL = 0x03;
    public const DESCRIBE = 0x10;
    public const CALL = 0x12;
    public const END_REQUEST = 0x1f;
    public const VALUE = 0x40;
    public const FAILURE = 0x41;
    public const DESCRIBED = 0x42;
    public const RETIRED = 0x43;

    public const HEADER_BYTES = 32;

    /** A whole frame; of its segments as many bytes as it announces, or as `$promised` says. */
    public static function frame(
        int $kind,
        int $call,
        string $payload,
        int $flags = 0,
        ?int $length = null,
        string $segments = '',
        ?int $promised = null,
    ): string {
        $head = pack(
            'NCCnJJNN',
            $length ?? \strlen($payload),
            $kind,
            $flags,
            0,
            $call,
            0,
            0,
            $promised ?? \strlen($segments),
        );

        return $head . $payload . $segments;
    }

    /** A hello of this version. @param list<string> $roots */
    public static function hello(array $roots, ?string $product = null, int $version = 1): string
    {
        $map = ['product' => $product ?? phpversion('tortoise'), 'process' => getmypid(), 'roots' => $roots, 'modules' => []];

        return self::frame(self::HELLO, 0, 'TORTOISE' . pack('n', $version) . self::pack($map));
    }

    /** A welcome. */
    public static function welcome(?string $product = null): string
    {
        return self::frame(
            self::WELCOME,
            0,
            self::pack(['product' => $product ?? phpversion('tortoise'), 'process' => getmypid(), 'python' => '3.11.2']),
        );
    }

    /** A refusal. */
    public static function refusal(string $message, bool $retry): string
    {
        return self::frame(self::REFUSAL, 0, self::pack(['message' => $message, 'retry' => $retry, 'versions' => [1]]));
    }

    /** A value as MessagePack: a list array is an array, any other a map; {@see Raw} stands for its bytes. */
    public static function pack(mixed $value): string
    {
        return match (true) {
            $value instanceof Raw => $value->bytes,
            $value === null => "\xc0",
            \is_bool($value) => $value ? "\xc3" : "\xc2",
            \is_int($value) => "\xd3" . pack('J', $value),
            \is_float($value) => "\xcb" . pack('E', $value),
            \is_string($value) => "\xdb" . pack('N', \strlen($value)) . $value,
            array_is_list($value) => "\xdd" . pack('N', \count($value)) . implode('', array_map(self::pack(...), $value)),
            default => "\xdf" . pack('N', \count($value)) . implode('', array_map(
                static fn(string|int $key): string => self::pack($key) . self::pack($value[$key]),
                array_keys($value),
            )),
        };
    }
}
