<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Money;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Operators and comparison between numbers of all kinds give what Python gives. A failure names the seed. */
final class RandomNumbersTest extends TestCase
{
    private const CASES = 1500;

    private const KINDS = ['decimal', 'fraction', 'whole', 'real', 'big', 'int', 'float'];

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testPhpComputesWhatPythonComputes(): void
    {
        $python = Money::make('Numbers');
        $operators = self::operators();
        [$results, $refusals] = [0, 0];
        for ($seed = 0; $seed < self::CASES; $seed++) {
            mt_srand($seed);
            $kinds = [self::KINDS[mt_rand(0, 6)], self::KINDS[mt_rand(0, 4)]];
            if (mt_rand(0, 1)) {
                $kinds = array_reverse($kinds);
            }
            [$a, $b] = array_map(static fn(string $kind): mixed => self::number($python, $kind), $kinds);
            $name = array_rand($operators);
            if (\is_float($a) && \in_array($name, ['%', '<<', '>>', '&', '|', '^'], true)) {
                // PHP complains of the float itself before anybody is asked.
                $a = (int) $a;
            }
            try {
                $got = $python->shown($operators[$name]($a, $b));
                $results++;
            } catch (\TypeError | \Tortoise\Python\TypeError) {
                $got = 'TypeError';
                $refusals++;
            } catch (\Tortoise\PythonException $error) {
                $got = substr((string) strrchr('.' . $error->getPythonClass(), '.'), 1);
                $refusals++;
            }
            $expected = $python->result($name, $a, $b);
            self::assertSame($expected, $got, "seed {$seed}: {$kinds[0]} {$name} {$kinds[1]}");
        }
        fwrite(\STDERR, "\n{$results} results and {$refusals} refusals of operators were the same in PHP and in Python\n");
        self::assertGreaterThan(self::CASES / 3, $results);
        self::assertGreaterThan(50, $refusals);
    }

    /** @return array<string, callable(mixed, mixed): mixed> */
    private static function operators(): array
    {
        return [
            '+' => static fn($a, $b) => $a + $b,
            '-' => static fn($a, $b) => $a - $b,
            '*' => static fn($a, $b) => $a * $b,
            '/' => static fn($a, $b) => $a / $b,
            '%' => static fn($a, $b) => $a % $b,
            '<<' => static fn($a, $b) => $a << $b,
            '>>' => static fn($a, $b) => $a >> $b,
            '&' => static fn($a, $b) => $a & $b,
            '|' => static fn($a, $b) => $a | $b,
            '^' => static fn($a, $b) => $a ^ $b,
            '==' => static fn($a, $b) => $a == $b,
            '<' => static fn($a, $b) => $a < $b,
            '<=>' => static fn($a, $b) => $a <=> $b,
        ];
    }

    private static function number(object $python, string $kind): mixed
    {
        $whole = [0, 1, -1, 2, 7, mt_rand(-50, 50), mt_rand()][mt_rand(0, 6)];
        $broken = $whole / [1, 2, 8, 3][mt_rand(0, 3)];

        return match ($kind) {
            'int' => $whole,
            'float' => (float) $broken,
            'decimal', 'real' => $python->make($kind, var_export($broken, true)),
            'fraction' => $python->make($kind, $whole . '/' . mt_rand(1, 9)),
            default => $python->make($kind, (string) $whole),
        };
    }
}
