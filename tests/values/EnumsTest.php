<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Specimen;
use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

enum Suit: string
{
    case Hearts = 'h';
    case Bytes = "\xff";

    public const Default = self::Hearts;
}

enum Level: int
{
    case Low = -1;
    case High = 10;
}

enum Pure
{
    case Alone;
}

/** A case of a backed enum is its value; one without a value cannot cross. */
final class EnumsTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testABackedCaseIsItsValue(): void
    {
        self::assertSame(
            "['h', b'\\xff', -1, {'k': 10}]",
            Specimen::seen([Suit::Hearts, Suit::Bytes, Level::Low, ['k' => Level::High]]),
        );
        self::assertSame("'h'", Specimen::seen(Suit::Default));
    }

    public function testACaseWithoutAValueIsRefused(): void
    {
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage('args[0]["a"][1]: a case of the PHP enum Tortoise\Tests\Values\Pure has no value');
        Specimen::seen(['a' => [1, Pure::Alone]]);
    }
}
