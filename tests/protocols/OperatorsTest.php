<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Money;
use Shelf;
use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** PHP's arithmetic on Python objects is Python's. */
final class OperatorsTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    private static function money(string $class): object
    {
        return Money::make($class);
    }

    public function testEveryOperatorOnEitherSide(): void
    {
        $spy = self::money('Spy');
        self::assertSame(
            ['self + 2', 'self - 2', 'self * 2', 'self / 2', 'self % 2', 'self ** 2', 'self << 2', 'self >> 2', 'self & 2', 'self | 2', 'self ^ 2'],
            [$spy + 2, $spy - 2, $spy * 2, $spy / 2, $spy % 2, $spy ** 2, $spy << 2, $spy >> 2, $spy & 2, $spy | 2, $spy ^ 2],
        );
        self::assertSame(
            ['1.5 + self', "'x' - self", '{\'a\': 1} / self', 'None % self', 'True ** self', '2 << self', '2 >> self'],
            [1.5 + $spy, 'x' - $spy, ['a' => 1] / $spy, null % $spy, true ** $spy, 2 << $spy, 2 >> $spy],
        );
    }

    /** PHP's compiler exchanges the operands of these where the left one is a literal or the result of an expression. */
    public function testOperatorsThatPhpHoldsForCommutative(): void
    {
        [$spy, $two, $list] = [self::money('Spy'), 2, [1]];
        self::assertSame(['[1] * self', '2 & self', '2 | self', '2 ^ self'], [$list * $spy, $two & $spy, $two | $spy, $two ^ $spy]);
        self::assertSame(['self * 2', 'self & 2'], [2 * $spy, 2 & $spy]);
        $right = self::money('RightOnly');
        self::assertSame(['2 times right', '2 times right'], [2 * $right, $two * $right]);
    }

    public function testSigns(): void
    {
        $signed = self::money('Signed');
        self::assertSame(['negative', 'positive', 'inverted'], [-$signed, +$signed, ~$signed]);
        self::assertSame('-5', (string) -Shelf::make('decimal', '5'));
        foreach (['-' => static fn() => -self::money('Unsigned'), '~' => static fn() => ~self::money('Unsigned'), '* 2' => static fn() => $signed * 2] as $negate) {
            try {
                $negate();
                self::fail('it has a sign');
            } catch (\TypeError $error) {
                self::assertMatchesRegularExpression('/^Unsupported operand types?: (Unsigned \* int|~Unsigned|Signed \* int)$/', $error->getMessage());
            }
        }
    }

    public function testDecimalsFractionsAndDates(): void
    {
        $make = Shelf::make(...);
        $price = $make('decimal', '0.10');
        self::assertSame(['0.30', '0.20', '1.1', '0.0100'], array_map('strval', [$price + $make('decimal', '0.20'), 2 * $price, 1 + $make('decimal', '0.1'), $price ** 2]));
        self::assertSame('5/6', (string) ($make('fraction', 1, 2) + $make('fraction', 1, 3)));
        self::assertSame('2024-03-01', (string) ($make('day', 2024, 2, 28) + $make('span', 2 * 86400)));
        self::assertSame('1180591620717411303424', (string) ($make('big', '590295810358705651712') * 2));
        self::assertSame([1, 2, 1], ($make('row', 1, 2) + [1]));
        $this->expectException(\Tortoise\Python\ZeroDivisionError::class);
        $make('fraction', 1, 2) / 0;
    }

    public function testCompoundAssignmentMakesANewValue(): void
    {
        $money = new Money(100);
        $same = $money;
        $money += 50;
        self::assertSame(['1.50', '1.00'], [(string) $money, (string) $same]);
        $money++;
        self::assertSame('1.51', (string) $money);
        $money += $money;
        self::assertSame(['3.02', '1.00'], [(string) $money, (string) $same]);
        $list = ['total' => new Money(1)];
        $list['total'] += 1;
        $reference = &$list['total'];
        $reference += 1;
        self::assertSame('0.03', (string) $list['total']);
        $holder = new class () {
            public mixed $money;
        };
        $holder->money = $same;
        $holder->money += 1;
        self::assertSame('1.01', (string) $holder->money);
        $shelf = new Shelf(money: $same);
        $shelf['money'] += 5;
        self::assertSame(['1.05', '9.00'], [(string) $shelf['money'], (string) array_sum([(1000 - $same)->cents]) / 100 . '.00']);
        $number = 5;
        $number += $same;
        self::assertSame('1.05', (string) $number);
    }

    public function testOperatorsThatNobodyHasNameBothTypes(): void
    {
        $cases = [
            'Unsupported operand types: Money + str' => static fn() => new Money(1) + 'x',
            'Unsupported operand types: float + Money' => static fn() => 1.5 + new Money(1),
            'Unsupported operand types: Money - Money' => static fn() => new Money(1) - new Money(1),
            'Unsupported operand types: Unsigned ** int' => static fn() => self::money('Unsigned') ** 2,
            'Unsupported operand types: list - Unsigned' => static fn() => [1] - self::money('Unsigned'),
            'Unsupported operand types: Money & int' => static fn() => 2 & new Money(1),
            'Unsupported operand types: Decimal + float' => static fn() => Shelf::make('decimal', 1) + 0.5,
        ];
        foreach ($cases as $message => $operate) {
            try {
                $operate();
                self::fail("{$message}: it has the operator");
            } catch (\TypeError $error) {
                self::assertSame($message, $error->getMessage());
                self::assertSame(__FILE__, $error->getFile());
            }
        }
    }

    public function testAFailedAssignmentLeavesTheVariable(): void
    {
        $money = new Money(7);
        try {
            $money += 'x';
            self::fail('it was added');
        } catch (\TypeError) {
            self::assertSame('0.07', (string) $money);
        }
    }

    public function testWhatPythonCannotHaveIsRefusedByName(): void
    {
        foreach (['the right operand' => static fn() => new Money(1) + STDIN, 'the left operand' => static fn() => STDIN + new Money(1)] as $place => $operate) {
            try {
                $operate();
                self::fail('it was added');
            } catch (ConversionException $error) {
                self::assertStringStartsWith($place, $error->getMessage());
            }
        }
    }

    public function testADotJoinsTexts(): void
    {
        self::assertSame('1.00 and 2.00', new Money(100) . ' and ' . new Money(200));
        $text = 'x';
        $text .= new Money(5);
        self::assertSame('x0.05', $text);
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('could not be converted to string');
        'x' . self::money('Unsigned');
    }
}
