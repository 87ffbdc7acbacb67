<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use DateInterval;
use DateTime;
use DateTimeImmutable;
use DateTimeInterface;
use DateTimeZone;
use Generated;
use GMP;
use Specimen;
use Tortoise\Bytes;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

enum Size: int
{
    case Small = 1;
    case Large = PHP_INT_MAX;
}

enum Name: string
{
    case Turtle = '🐢';
    case Empty = '';
}

/**
 * Values of all kinds, shapes and sizes come back as they went, and each is on the other side what docs/objects.md says.
 * A failure names the seed that makes the value again.
 *
 * @requires extension gmp
 */
final class RandomValuesTest extends TestCase
{
    private const CASES = 1000;

    /** Names of the time zone database, offsets, and an abbreviation, which is its offset. */
    private const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC', '+00:00', '+05:30', '-03:30', '+01:02:03', 'EST', 'Z'];

    /** PHP's own, and those of what goes by reference. */
    private const CLASSES = [
        'DateInterval', 'DateTimeImmutable', 'GMP',
        'Tortoise\Python\builtins\complex', 'Tortoise\Python\builtins\dict', 'Tortoise\Python\decimal\Decimal', 'Tortoise\Python\uuid\UUID',
    ];

    private static string $zone;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
        self::$zone = date_default_timezone_get();
        // That of naive moments.
        date_default_timezone_set('UTC');
    }

    public static function tearDownAfterClass(): void
    {
        date_default_timezone_set(self::$zone);
        parent::tearDownAfterClass();
    }

    public function testValuesOfPhpComeBackTheSame(): void
    {
        $all = [];
        for ($seed = 0; $seed < self::CASES; $seed++) {
            mt_srand($seed);
            gmp_random_seed($seed);
            $value = self::value(3);
            $kinds = [];
            self::tally($value, $kinds);
            ksort($kinds);
            self::assertSame($kinds, Generated::kinds($value), "Python sees other types in the value of seed {$seed}");
            self::assertTrue(self::shown($value) === self::shown(Generated::same($value)), "the value of seed {$seed} changed");
            self::add($all, $kinds);
        }
        self::report('PHP to Python and back', $all, 10);
    }

    public function testValuesOfPythonComeBackTheSame(): void
    {
        [$all, $classes] = [[], []];
        for ($seed = 0; $seed < self::CASES; $seed++) {
            $value = Generated::made($seed);
            self::assertSame('', Generated::difference($value, $seed), "the value of seed {$seed} changed");
            self::add($all, Generated::kinds_of($seed));
            $parts = [$value];
            array_walk_recursive($parts, static function (mixed $part) use (&$classes): void {
                if (\is_object($part)) {
                    $classes[$part::class] = true;
                }
            });
        }
        ksort($classes);
        self::assertSame(self::CLASSES, array_keys($classes), 'the classes of objects that PHP gets');
        self::report('Python to PHP and back', $all, 16);
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
                    : self::float();
            }
            $back = Generated::same($numbers);
            self::assertSame(self::shown($numbers), self::shown($back), "the numbers of seed {$seed} changed");
            self::assertTrue(array_is_list($back));
            self::assertSame(self::shown($numbers), self::shown(Generated::same([$numbers])[0]), "the numbers of seed {$seed} changed in a list");
        }
        fwrite(\STDERR, "\n" . self::CASES . " lists of numbers went from PHP to Python and back\n");
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
        return match (mt_rand(0, $depth > 0 ? 14 : 10)) {
            0 => [null, true, false][mt_rand(0, 2)],
            1 => mt_rand() << mt_rand(0, 33),
            2 => -(mt_rand() >> mt_rand(0, 31)),
            3 => gmp_mul(gmp_random_bits(mt_rand(1, 700)), mt_rand(0, 1) ? 1 : -1),
            4 => self::float(),
            5, 6 => self::text(),
            7 => new Bytes(self::text()),
            8 => self::moment(),
            9 => self::span(),
            10 => [Size::Small, Size::Large, Name::Turtle, Name::Empty][mt_rand(0, 3)],
            11 => array_map(self::float(...), array_fill(0, mt_rand(10, 60), null)),
            12 => array_map(static fn() => self::value($depth - 1), array_fill(0, self::length(), null)),
            13, 14 => array_combine(
                $keys = array_unique(array_map(self::key(...), array_fill(0, self::length(), null))),
                array_map(static fn() => self::value($depth - 1), $keys),
            ),
        };
    }

    private static function length(): int
    {
        return [0, 1, 2, 3, 15, 16, 17, 40][mt_rand(0, 7)];
    }

    private static function float(): float
    {
        return [0.0, -0.0, 1.0, INF, -INF, NAN, 5e-324, PHP_FLOAT_MAX, mt_rand() / 7][mt_rand(0, 8)];
    }

    private static function text(): string
    {
        $bytes = str_repeat(['a', "\xff", 'ä', "\0", '€', '🐢', "\xf0\x9f"][mt_rand(0, 6)], [0, 1, 5, 31, 32, 255, 256, 70000][mt_rand(0, 7)]);

        return mt_rand(0, 1) ? $bytes : $bytes . mt_rand();
    }

    /** A key must be UTF-8. */
    private static function key(): int|string
    {
        return match (mt_rand(0, 3)) {
            0 => mt_rand() - 1_000_000,
            1 => [PHP_INT_MAX, PHP_INT_MIN, -1, 0, 1, 2][mt_rand(0, 5)],
            default => str_repeat(['a', 'ä', '€', "\0"][mt_rand(0, 3)], mt_rand(0, 40)) . mt_rand(0, 99),
        };
    }

    private static function moment(): DateTimeInterface
    {
        $seconds = mt_rand(200_000_000, 2_000_000_000);
        $class = mt_rand(0, 1) ? DateTime::class : DateTimeImmutable::class;

        return (new $class("@{$seconds}"))->setTimezone(new DateTimeZone(self::ZONES[array_rand(self::ZONES)]))->modify('+' . mt_rand(0, 999_999) . ' usec');
    }

    private static function span(): DateInterval
    {
        if (mt_rand(0, 2) === 0) {
            // The months in it are counted in days.
            return self::moment()->diff(self::moment());
        }
        $span = new DateInterval(sprintf('P%dDT%dH%dM%dS', mt_rand(0, 9999), mt_rand(0, 99), mt_rand(0, 99), mt_rand(0, 99)));
        $span->f = (mt_rand(0, 999_999) + 0.5) / 1e6;
        $span->invert = mt_rand(0, 1);

        return $span;
    }

    /**
     * Counts what Python is to see.
     *
     * @param array<string, int> $kinds by the name of the type
     */
    private static function tally(mixed $value, array &$kinds): void
    {
        if (\is_array($value)) {
            $is_list = array_is_list($value);
            foreach ($value as $key => $element) {
                if (!$is_list) {
                    self::tally($key, $kinds);
                }
                self::tally($element, $kinds);
            }
        }
        $kind = match (true) {
            \is_array($value) => $is_list ? 'list' : 'dict',
            $value instanceof \BackedEnum => \is_int($value->value) ? 'int' : 'str',
            $value instanceof Bytes => 'bytes',
            $value instanceof GMP => 'int',
            $value instanceof DateTimeInterface => 'datetime',
            $value instanceof DateInterval => 'timedelta',
            \is_string($value) => preg_match('//u', $value) ? 'str' : 'bytes',
            default => ['null' => 'NoneType'][get_debug_type($value)] ?? get_debug_type($value),
        };
        $kinds[$kind] = ($kinds[$kind] ?? 0) + 1;
    }

    /** The value to the last type and bit, as it is when it comes back. */
    private static function shown(mixed $value): string
    {
        if (\is_array($value)) {
            $shown = '';
            foreach ($value as $key => $element) {
                $shown .= self::shown($key) . ' => ' . self::shown($element) . ', ';
            }

            return "[{$shown}]";
        }

        return match (true) {
            $value instanceof \BackedEnum => self::shown($value->value),
            $value instanceof Bytes => 'string ' . $value,
            $value instanceof GMP => 'int ' . gmp_strval($value),
            $value instanceof DateTimeInterface => $value->format('Y-m-d\TH:i:s.u ') . "{$value->getOffset()} " . self::zone($value),
            $value instanceof DateInterval => 'span ' . self::microseconds($value),
            \is_float($value) => 'float ' . bin2hex(pack('E', $value)),
            \is_object($value) => throw new \LogicException($value::class),
            \is_bool($value) => $value ? 'true' : 'false',
            default => get_debug_type($value) . ' ' . $value,
        };
    }

    /** A zone has a name only if it is one of the database; of all others the offset is the whole. */
    private static function zone(DateTimeInterface $moment): string
    {
        $name = $moment->getTimezone()->getName();

        return match (true) {
            str_contains($name, '/') => $name,
            $moment->getOffset() === 0 => 'UTC',
            default => '',
        };
    }

    private static function microseconds(DateInterval $span): int
    {
        $days = \is_int($span->days) ? $span->days : $span->d;
        $seconds = (($days * 24 + $span->h) * 60 + $span->i) * 60 + $span->s;

        return ($span->invert ? -1 : 1) * ($seconds * 1_000_000 + (int) $span->format('%f'));
    }

    /**
     * @param array<string, int> $all
     * @param array<string, int> $kinds
     */
    private static function add(array &$all, array $kinds): void
    {
        foreach ($kinds as $kind => $count) {
            $all[$kind] = ($all[$kind] ?? 0) + $count;
        }
    }

    /** @param array<string, int> $kinds */
    private static function report(string $way, array $kinds, int $expected): void
    {
        ksort($kinds);
        $shown = implode(', ', array_map(static fn(string $kind, int $count): string => "{$count} {$kind}", array_keys($kinds), $kinds));
        fwrite(\STDERR, "\n" . self::CASES . ' values went from ' . $way . ': ' . array_sum($kinds) . " parts ({$shown})\n");
        self::assertCount($expected, $kinds, "kinds from {$way}");
    }
}
