<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use GMP;
use Temporal;
use Tortoise\ConversionException;
use Tortoise\PyObject;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/**
 * Integers of more than 64 bits are GMP numbers, where PHP has them.
 *
 * @requires extension gmp
 */
final class BigIntegersTest extends TestCase
{
    private const CASES = 1000;

    private const LIMIT = 1 << 20;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testIntegersOfPythonComeBackTheSame(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            $number = Temporal::integer($seed);
            self::assertInstanceOf(GMP::class, $number);
            self::assertSame(gmp_strval($number, 16), Temporal::hexadecimal($number));
            self::assertTrue(Temporal::is_integer($number, $seed), "the integer of seed {$seed} changed");
        }
        self::assertSame(self::CASES, $tried);
    }

    public function testNumbersOfPhpArriveAsTheyAre(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            gmp_random_seed($seed);
            mt_srand($seed);
            $number = gmp_random_bits(mt_rand(1, 3000));
            $number = mt_rand(0, 1) ? $number : gmp_neg($number);
            self::assertSame(gmp_strval($number, 16), Temporal::hexadecimal($number), "the number of seed {$seed}");
        }
        self::assertSame(self::CASES, $tried);
    }

    public function testSmallNumbersAreIntegersInPython(): void
    {
        self::assertSame('[0, -1, 9223372036854775807, -9223372036854775808]', Temporal::seen([gmp_init(0), gmp_init(-1), gmp_init(PHP_INT_MAX), gmp_init(PHP_INT_MIN)]));
        self::assertSame([PHP_INT_MAX, PHP_INT_MIN], Temporal::made('[2**63 - 1, -2**63]'));
        self::assertEquals([gmp_pow(2, 63), gmp_sub(PHP_INT_MIN, 1), gmp_sub(gmp_pow(2, 64), 1)], Temporal::made('[2**63, -2**63 - 1, 2**64 - 1]'));
    }

    public function testTheLimitHoldsOnBothSides(): void
    {
        $bits = 8 * self::LIMIT;
        $largest = Temporal::made("2**{$bits} - 1");
        self::assertInstanceOf(GMP::class, $largest);
        self::assertSame(0, gmp_cmp($largest, gmp_sub(gmp_pow(2, $bits), 1)));
        self::assertInstanceOf(PyObject::class, Temporal::made("2**{$bits}"));
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage('args[0]["n"]: an integer of ' . (self::LIMIT + 1) . ' bytes is over the limit of ' . self::LIMIT);
        Temporal::seen(['n' => gmp_pow(2, $bits)]);
    }
}
