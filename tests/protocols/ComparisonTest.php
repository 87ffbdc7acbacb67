<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Money;
use Shelf;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** `==`, `<`, `<=` and `<=>` ask Python: `__eq__` first, then `__lt__`. */
final class ComparisonTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return list<bool|int> */
    private static function compared(mixed $one, mixed $other): array
    {
        return [$one == $other, $one != $other, $one < $other, $one <= $other, $one > $other, $one >= $other, $one <=> $other];
    }

    public function testObjectsOfOneClass(): void
    {
        self::assertSame([true, false, false, true, false, true, 0], self::compared(new Money(1), new Money(1)));
        self::assertSame([false, true, true, true, false, false, -1], self::compared(new Money(1), new Money(2)));
        self::assertSame([false, true, false, false, true, true, 1], self::compared(new Money(3), new Money(2)));
        self::assertNotSame(new Money(1), new Money(1));
    }

    public function testValuesOfPhpOnEitherSide(): void
    {
        $half = Shelf::make('decimal', '0.5');
        self::assertSame([true, false, false, true, false, true, 0], self::compared($half, 0.5));
        self::assertSame([false, true, true, true, false, false, -1], self::compared(0, $half));
        self::assertSame([false, true, false, false, true, true, 1], self::compared(1, $half));
        self::assertTrue(Shelf::make('row', 1, 'x') == [1, 'x']);
        self::assertTrue([1, 'x'] == Shelf::make('row', 1, 'x'));
        self::assertTrue(Shelf::make('ordered', ['a', 1]) == ['a' => 1]);
        self::assertFalse($half == '0.5');
        self::assertFalse($half == new \stdClass());
        self::assertFalse(STDIN == $half);
        self::assertTrue(Shelf::make('Level', 3) == 3);
    }

    public function testProxiesAreTrueAndNotNull(): void
    {
        $empty = Shelf::make('row');
        self::assertSame([true, false, true, false], [$empty == true, $empty == null, (bool) $empty, !$empty]);
        self::assertSame('true', $empty ? 'true' : 'false');
        self::assertSame([true, true], [$empty && true, null != $empty]);
    }

    public function testObjectsWithoutEqualityAreThemselves(): void
    {
        $plain = Shelf::make('Plain');
        self::assertTrue($plain == $plain);
        self::assertFalse($plain == Shelf::make('Plain'));
        self::assertFalse(Shelf::make('function') == $plain);
    }

    public function testWhatPythonCannotOrderIsNeitherLessNorMore(): void
    {
        $plain = Shelf::make('Plain');
        self::assertSame([false, true, false, false, false, false, 1], self::compared($plain, new Money(1)));
        self::assertSame([false, true, false, false, false, false, 1], self::compared(5, $plain));
        try {
            Money::make('Shy') < Money::make('Shy');
            self::fail('it was ordered');
        } catch (\Tortoise\Python\TypeError $error) {
            self::assertSame('shy', $error->getMessage());
        }
        // Equality asks for no order.
        self::assertFalse(Money::make('Shy') == Money::make('Shy'));
        self::assertFalse(\in_array(Money::make('Shy'), [Money::make('Shy'), $plain, 5, 'x', null]));
    }

    public function testWhatPhpComparesItself(): void
    {
        $amounts = array_map(static fn(int $cents): Money => new Money($cents), [5, 3, 9, 1]);
        sort($amounts);
        self::assertSame([1, 3, 5, 9], array_map(static fn(Money $money): int => $money->cents, $amounts));
        usort($amounts, static fn(Money $one, Money $other): int => $other <=> $one);
        self::assertSame([9, 5, 3, 1], array_map(static fn(Money $money): int => $money->cents, $amounts));
        self::assertSame([9, 1], [max($amounts)->cents, min($amounts)->cents]);
        self::assertTrue(\in_array(new Money(3), $amounts));
        self::assertSame(1, array_search(new Money(5), $amounts));
        self::assertFalse(\in_array(new Money(4), $amounts));
        self::assertTrue([new Money(1), 'x'] == [new Money(1), 'x']);
        self::assertSame('three', match (true) {
            new Money(1) == new Money(3) => 'one',
            new Money(3) == new Money(3) => 'three',
        });
        switch (new Money(2)) {
            case new Money(1):
                self::fail('1 is not 2');
            case new Money(2):
                $found = true;
        }
        self::assertTrue($found ?? false);
    }

    public function testAnArrayOfTruthValuesIsNoTruthValue(): void
    {
        foreach ([static fn() => Money::make('Many') == 1, static fn() => Money::make('Many') < 1, static fn() => [] == Money::make('Many')] as $compare) {
            try {
                $compare();
                self::fail('it was one truth value');
            } catch (\TypeError $error) {
                self::assertStringContainsString('gives list, a truth value for each element', $error->getMessage());
            }
        }
    }
}
