<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Specimen;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Values of all shapes and sizes come back as they went. A failure names the seed that makes the value again. */
final class RandomValuesTest extends TestCase
{
    private const CASES = 500;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testValuesOfPhpComeBackTheSame(): void
    {
        for ($seed = 0; $seed < self::CASES; $seed++) {
            mt_srand($seed);
            $value = self::value(3);
            self::assertTrue($value === Specimen::same($value), "the value of seed {$seed} changed");
        }
    }

    public function testValuesOfPythonComeBackTheSame(): void
    {
        for ($seed = 0; $seed < self::CASES; $seed++) {
            self::assertTrue(Specimen::is_random(Specimen::random($seed), $seed), "the value of seed {$seed} changed");
        }
    }

    /** Integers and floats in any mixture, at every length around the sizes of vectors and of their bytes of bits. */
    public function testListsOfNumbersComeBackTheSame(): void
    {
        for ($seed = 0; $seed < self::CASES; $seed++) {
            mt_srand($seed);
            $share = mt_rand(0, 8);
            $numbers = [];
            for ($i = mt_rand(14, 90); $i > 0; $i--) {
                $numbers[] = mt_rand(1, 8) <= $share
                    ? [0, 1, -1, PHP_INT_MIN, PHP_INT_MAX, 1 << 53, (1 << 53) + 1, mt_rand()][mt_rand(0, 7)]
                    : [0.0, -0.0, 1.0, INF, -INF, NAN, 5e-324, mt_rand() / 7][mt_rand(0, 7)];
            }
            $show = static fn(array $list): array => array_map(static fn(int|float $number): string => \is_int($number) ? "{$number}" : bin2hex(pack('E', $number)), $list);
            $back = Specimen::same($numbers);
            self::assertSame($show($numbers), $show($back), "the numbers of seed {$seed} changed");
            self::assertTrue(array_is_list($back));
            self::assertSame($show($numbers), $show(Specimen::same([$numbers])[0]), "the numbers of seed {$seed} changed in a list");
        }
    }

    /** What Python makes has Python's types: no integer becomes a float, nor a truth a number. */
    public function testListsOfNumbersOfPythonAreSeenAsTheyAre(): void
    {
        foreach (['[n / 2 if n % 3 else n for n in range(40)]', '[1] * 16 + [1.0]', '[True, 1.0] * 8', '[1.0] * 16 + [True]', '[1, -0.0, 2**63 - 1, -2**63] * 5'] as $expression) {
            $made = Specimen::made($expression);
            self::assertTrue(Specimen::is_same_text($made, $expression), $expression);
        }
        self::assertSame([...array_fill(0, 16, 1), 1.0], Specimen::made('[1] * 16 + [1.0]'));
        self::assertSame([...array_fill(0, 16, 1.0), true], Specimen::made('[1.0] * 16 + [True]'));
        self::assertSame([0, -0.5, PHP_INT_MAX, PHP_INT_MIN, ...array_fill(0, 20, 1.0)], Specimen::made('[0, -0.5, 2**63 - 1, -2**63] + [1.0] * 20'));
    }

    private static function value(int $depth): mixed
    {
        return match (mt_rand(0, $depth > 0 ? 7 : 5)) {
            0 => [null, true, false][mt_rand(0, 2)],
            1 => mt_rand() << mt_rand(0, 33),
            2 => -(mt_rand() >> mt_rand(0, 31)),
            3 => [0.0, INF, -INF, mt_rand() / 7, 1e-320, PHP_FLOAT_MAX][mt_rand(0, 5)],
            4, 5 => self::text(),
            6 => array_map(static fn() => self::value($depth - 1), array_fill(0, self::length(), null)),
            7 => array_combine(
                $keys = array_unique(array_map(static fn() => mt_rand(0, 1) ? self::name() : mt_rand() - 1_000_000, array_fill(0, self::length(), null))),
                array_map(static fn() => self::value($depth - 1), $keys),
            ),
        };
    }

    private static function length(): int
    {
        return [0, 1, 2, 3, 15, 16, 17, 40][mt_rand(0, 7)];
    }

    private static function text(): string
    {
        $bytes = str_repeat(['a', "\xff", 'ä', "\0", '€', '🐢', "\xf0\x9f"][mt_rand(0, 6)], [0, 1, 5, 31, 32, 255, 256, 70000][mt_rand(0, 7)]);

        return mt_rand(0, 1) ? $bytes : $bytes . mt_rand();
    }

    /** A key must be UTF-8. */
    private static function name(): string
    {
        return str_repeat(['a', 'ä', '€', "\0"][mt_rand(0, 3)], mt_rand(0, 40)) . mt_rand(0, 99);
    }
}
