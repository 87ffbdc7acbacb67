<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Specimen;
use Tortoise\Bytes;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** A Tortoise\Bytes is bytes in Python, whatever stands in it. */
final class BytesTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{string, string}> */
    public static function strings(): iterable
    {
        yield 'empty' => ['', "b''"];
        yield 'what would be a str' => ['tortoise', "b'tortoise'"];
        yield 'digits' => ['12', "b'12'"];
        yield 'UTF-8 beyond ASCII' => ['ä', "b'\\xc3\\xa4'"];
        yield 'no UTF-8, and a NUL' => ["\xff\0", "b'\\xff\\x00'"];
    }

    /** @dataProvider strings */
    public function testIsBytesInPython(string $string, string $seen): void
    {
        self::assertSame($seen, Specimen::seen(new Bytes($string)));
        self::assertSame($string, Specimen::same(new Bytes($string)), 'comes back as a string');
        self::assertSame($string, (string) new Bytes($string));
    }

    public function testWithinOtherValues(): void
    {
        self::assertSame("[b'a', {'k': b'b'}, 'c']", Specimen::seen([new Bytes('a'), ['k' => new Bytes('b')], 'c']));
    }

    public function testTenMegabytesComeBack(): void
    {
        $bytes = random_bytes(10_000_000);
        self::assertTrue(Specimen::same(new Bytes($bytes)) === $bytes);
    }

    public function testTakesExactlyAString(): void
    {
        self::assertInstanceOf(\Stringable::class, new Bytes(''));
        foreach ([[], [1], ['a', 'b']] as $arguments) {
            try {
                new Bytes(...$arguments);
                self::fail('accepted ' . json_encode($arguments));
            } catch (\TypeError $error) {
                self::assertStringContainsString('Tortoise\Bytes::__construct()', $error->getMessage());
                self::assertSame(__FILE__, $error->getFile());
            }
        }
    }

    public function testOneThatWasNeverConstructedIsRefused(): void
    {
        $bytes = (new \ReflectionClass(Bytes::class))->newInstanceWithoutConstructor();
        self::assertSame('', (string) $bytes);
        $this->expectException(\Tortoise\ConversionException::class);
        Specimen::seen($bytes);
    }
}
