<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Specimen;
use Tortoise\Bytes;
use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Long lists of numbers, rows and large strings travel in forms of their own, and arrive as what they are. */
final class BulkTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{array<mixed>}> */
    public static function lists(): iterable
    {
        foreach ([15, 16, 17, 1000, 8191, 8192, 131_072, 131_073] as $count) {
            yield "{$count} integers" => [range(1, $count)];
            yield "{$count} floats" => [array_map(static fn(int $i): float => $i / 7, range(1, $count))];
        }
        yield 'odd integers' => [[\PHP_INT_MIN, \PHP_INT_MAX, -1, 0, ...range(0, 20)]];
        yield 'odd floats' => [[\INF, -\INF, -0.0, 5e-324, 1.7976931348623157e308, ...array_fill(0, 20, 0.5)]];
        yield 'floats and one integer' => [[...array_fill(0, 50, 0.5), 1, ...array_fill(0, 50, 0.5)]];
        yield 'integers and one float' => [[...range(0, 50), 1.0, ...range(0, 50)]];
        yield 'quotients, of which every seventh is an integer' => [array_map(static fn(int $i): int|float => $i / 7, range(0, 99_999))];
        yield 'numbers and a truth' => [[...array_fill(0, 8, 1.5), ...range(0, 8), true]];
        yield 'numbers and a text' => [[...array_fill(0, 8, 1.5), ...range(0, 100), '1']];
        yield 'rows of numbers' => [array_map(static fn(int $row): array => array_map(static fn(int $i): int|float => $i / $row, range(1, 20)), range(1, 20))];
        yield 'integers and null at the end' => [[...range(0, 50), null]];
        yield 'integers and a text' => [[...range(0, 50), 'x', ...range(0, 50)]];
        yield 'lists of integers in a list' => [array_fill(0, 20, range(0, 99))];
        yield 'integers in a map' => [['numbers' => range(0, 99), 'more' => array_fill(0, 99, 1.5)]];
        yield 'truths' => [array_fill(0, 100, true)];
    }

    /**
     * @dataProvider lists
     * @dataProvider rows
     * @dataProvider strings
     */
    public function testThereAndBack(mixed $value): void
    {
        $back = Specimen::same($value);
        self::assertSame($value, $back);
        // What comes back is an array of PHP's in every way.
        if (\is_array($back)) {
            $back[] = 'more';
            $value[] = 'more';
            self::assertSame($value, $back);
            self::assertSame(array_reverse($value, true), array_reverse($back, true));
        }
    }

    /** @return iterable<string, array{array<mixed>}> */
    public static function rows(): iterable
    {
        $row = static fn(int $i): array => ['id' => $i, 'name' => "name {$i}", 'score' => $i / 4, 'ok' => $i % 2 === 0, 'more' => null];
        yield 'rows' => [array_map($row, range(1, 1000))];
        yield 'rows in rows' => [array_map(static fn(int $i): array => ['id' => $i, 'rows' => array_map($row, range(0, $i % 4))], range(1, 100))];
        yield 'rows of two kinds' => [array_map(static fn(int $i): array => $i % 3 ? $row($i) : ['id' => $i], range(1, 100))];
        yield 'rows and other values' => [[$row(1), 'text', $row(2), [], $row(3), [1, 2], null, $row(4)]];
        yield 'rows in another order' => [[['a' => 1, 'b' => 2], ['b' => 1, 'a' => 2], ['a' => 3, 'b' => 4]]];
        yield 'rows with integer keys' => [[[5 => 'a', 3 => 'b'], [5 => 'c', 3 => 'd'], [5 => 'e', 4 => 'f']]];
        yield 'rows with both' => [[['x' => 1, 0 => 2, -1 => 3], ['x' => 4, 0 => 5, -1 => 6]]];
        yield 'rows with a list among them' => [[['x' => 1], [1 => 1], [0 => 1], [1 => 2], ['x' => 2]]];
        yield 'rows of 255 and 256' => [[...array_fill(0, 3, array_combine(array_map(static fn(int $i): string => "k{$i}", range(1, 255)), range(1, 255))), ...array_fill(0, 3, array_combine(array_map(static fn(int $i): string => "k{$i}", range(1, 256)), range(1, 256)))]];
        yield 'rows with large strings' => [array_map(static fn(int $i): array => ['id' => $i, 'text' => str_repeat(\chr(97 + $i), 30_000)], range(0, 19))];
        yield 'rows whose keys are like numbers' => [array_fill(0, 3, ['01' => 1, '1.5' => 2, '' => 3, 'ä' => 4])];
        yield 'rows with long keys' => [array_fill(0, 3, [str_repeat('k', 63) => 1, str_repeat('k', 64) => 2, str_repeat('k', 65) => 3])];
    }

    /** @return iterable<string, array{string|list<string>}> */
    public static function strings(): iterable
    {
        foreach ([16_383, 16_384, 16_385, 65_536, 1 << 20, (1 << 20) + 1, (2 << 20) - 25, 2 << 20, 10_000_000] as $length) {
            yield "a text of {$length} bytes" => [str_repeat('x', $length)];
            yield "bytes, {$length} of them" => [substr(str_repeat("\xff\x00\x80", intdiv($length, 3) + 1), 0, $length)];
        }
        yield 'a large text beyond ASCII' => [str_repeat('añ€𝄞', 20_000)];
        yield 'many large strings' => [array_map(static fn(int $i): string => str_repeat(\chr($i), 20_000 + $i), range(0, 255))];
    }

    public function testAllStringsAreTheSameOne(): void
    {
        $text = str_repeat('text', 10_000);
        self::assertSame(array_fill(0, 50, $text), Specimen::same(array_fill(0, 50, $text)));
    }

    public function testBytesAreBytesWhateverTheirLength(): void
    {
        foreach ([0, 16_383, 16_384, 100_000] as $length) {
            $bytes = str_repeat('b', $length);
            self::assertTrue(Specimen::is_made(new Bytes($bytes), "b'b' * {$length}"));
            self::assertTrue(Specimen::is_made([new Bytes($bytes), $bytes], "[b'b' * {$length}, 'b' * {$length}]"));
        }
    }

    public function testAListWithAReferenceInIt(): void
    {
        $one = 1;
        $list = range(0, 40);
        $list[20] = &$one;
        self::assertSame(range(0, 19), \array_slice(Specimen::same($list), 0, 20));
        self::assertSame(1, Specimen::same($list)[20]);
        $row = ['id' => 1];
        $rows = [['id' => 0], &$row, ['id' => 2]];
        self::assertSame([['id' => 0], ['id' => 1], ['id' => 2]], Specimen::same($rows));
    }

    public function testListsWithHoles(): void
    {
        $list = range(0, 40);
        unset($list[20]);
        self::assertSame($list, Specimen::same($list));
        unset($list[40]);
        self::assertSame($list, Specimen::same($list));
        $rows = [['a' => 1, 'b' => 2, 'c' => 3], ['a' => 1, 'b' => 2, 'c' => 3]];
        unset($rows[1]['b']);
        self::assertSame($rows, Specimen::same($rows));
    }

    /** What one frame cannot carry is refused before anything is sent, and the next call goes on. */
    public function testMoreThanAFrameHolds(): void
    {
        $large = str_repeat('x', 100 << 20);
        try {
            Specimen::seen(array_fill(0, 6, $large));
            self::fail('it is over the limit');
        } catch (ConversionException $exception) {
            self::assertStringStartsWith('args[0][5]: ', $exception->getMessage());
        }
        self::assertSame('1', Specimen::seen(1));
    }

    /** An error in the arguments means that nothing was sent: neither the name's index nor the segments. */
    public function testACallThatIsNotSentChangesNothing(): void
    {
        $script = <<<'PHP'
            $large = str_repeat('x', 100_000);
            $caught = 0;
            for ($i = 0; $i < 3; $i++) {
                try {
                    Specimen::seen([$large, STDIN]);
                } catch (Tortoise\ConversionException) {
                    $caught++;
                }
            }
            return [$caught, Specimen::seen(1), Specimen::same([$large]) === [$large], Specimen::seen(2), Specimen::same(3)];
            PHP;
        self::assertSame([3, '1', true, '2', 3], self::evaluate($script));
    }

    /** A session that replaces another one knows none of its indexes. */
    public function testMethodsOfANewSession(): void
    {
        $script = <<<'PHP'
            $results = [];
            for ($i = 0; $i < 3; $i++) {
                $results[] = [Specimen::seen($i), Specimen::same($i), Specimen::seen($i)];
                exec('kill -9 ' . Tortoise\status()['session']);
                try {
                    Specimen::seen($i);
                } catch (Tortoise\ConnectionException) {
                }
            }
            return $results;
            PHP;
        self::assertSame([['0', 0, '0'], ['1', 1, '1'], ['2', 2, '2']], self::evaluate($script));
    }
}
