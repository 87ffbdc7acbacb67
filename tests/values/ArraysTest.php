<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Specimen;
use Tortoise\ConversionException;
use Tortoise\PyObject;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Lists and dicts keep their order, their keys and the kinds of their values; what cannot cross names its place. */
final class ArraysTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{array<mixed>, string}> */
    public static function arrays(): iterable
    {
        yield 'an empty array' => [[], '[]'];
        yield 'a list' => [[1, 'b', null], "[1, 'b', None]"];
        yield 'lists in lists' => [[[], [[]], [1, [2, [3]]]], '[[], [[]], [1, [2, [3]]]]'];
        yield 'names' => [['a' => 1, 'b' => 2], "{'a': 1, 'b': 2}"];
        yield 'names in another order' => [['b' => 1, 'a' => 2], "{'b': 1, 'a': 2}"];
        yield 'an empty name' => [['' => 1], "{'': 1}"];
        yield 'a name with NUL' => [["a\0" => 1], "{'a\\x00': 1}"];
        yield 'a name beyond ASCII' => [['ä' => 1], "{'ä': 1}"];
        yield 'integer keys' => [[5 => 'a', 3 => 'b'], "{5: 'a', 3: 'b'}"];
        yield 'a key that is not the first' => [[1 => 'a'], "{1: 'a'}"];
        yield 'negative keys' => [[-1 => 'a', PHP_INT_MIN => 'b', PHP_INT_MAX => 'c'],
            "{-1: 'a', -9223372036854775808: 'b', 9223372036854775807: 'c'}"];
        yield 'a list in another order' => [[1 => 'a', 0 => 'b'], "{1: 'a', 0: 'b'}"];
        yield 'mixed keys' => [['x' => 1, 0 => 2, 'y' => 3], "{'x': 1, 0: 2, 'y': 3}"];
        yield 'names that look like numbers' => [['01' => 1, '1.5' => 2, '-0' => 3, '9223372036854775808' => 4],
            "{'01': 1, '1.5': 2, '-0': 3, '9223372036854775808': 4}"];
        yield 'the smallest integer as a name' => [['-9223372036854775808' => 4], "{-9223372036854775808: 4}"];
        yield 'a dict in a list in a dict' => [['rows' => [['id' => 1], ['id' => 2]]], "{'rows': [{'id': 1}, {'id': 2}]}"];
        yield 'more than 15 elements' => [range(0, 19), '[' . implode(', ', range(0, 19)) . ']'];
    }

    /**
     * @dataProvider arrays
     * @param array<mixed> $value
     */
    public function testArrivesInPython(array $value, string $inPython): void
    {
        self::assertSame($inPython, Specimen::seen($value));
    }

    /**
     * @dataProvider arrays
     * @param array<mixed> $value
     */
    public function testComesBackAsItWas(array $value, string $inPython): void
    {
        self::assertSame($value, Specimen::same($value));
        self::assertSame($value, Specimen::made($inPython));
    }

    public function testHolesAndReferencesArePassedAsValues(): void
    {
        $list = [1, 2, 3];
        unset($list[1]);
        self::assertSame('{0: 1, 2: 3}', Specimen::seen($list));
        unset($list[2]);
        self::assertSame('[1]', Specimen::seen($list));
        $shared = 7;
        $list[] = &$shared;
        self::assertSame('{0: 1, 3: 7}', Specimen::seen($list));
        self::assertSame('[7, [7]]', Specimen::seen([&$shared, [&$shared]]));
    }

    public function testLargeArraysPass(): void
    {
        $integers = range(0, 99_999);
        self::assertTrue($integers === Specimen::same($integers));
        $rows = array_map(static fn(int $id): array => ['id' => $id, 'name' => "row {$id}", 'price' => $id / 4], range(0, 9_999));
        self::assertTrue($rows === Specimen::same($rows));
    }

    /** @return iterable<string, array{string, array<mixed>}> */
    public static function sequences(): iterable
    {
        yield 'a tuple' => ['(1, "a", None)', [1, 'a', null]];
        yield 'an empty tuple' => ['()', []];
        yield 'an empty dict' => ['{}', []];
        yield 'a set' => ['{7}', [7]];
        yield 'an empty set' => ['set()', []];
        yield 'a frozenset' => ['frozenset(["x"])', ['x']];
        yield 'tuples in dicts' => ['{"at": (1, 2)}', ['at' => [1, 2]]];
        yield 'numeric names' => ['{"1": "a", "-5": "b", "x": "c"}', [1 => 'a', -5 => 'b', 'x' => 'c']];
    }

    /**
     * @dataProvider sequences
     * @param array<mixed> $expected
     */
    public function testOtherCollectionsComeAsArrays(string $expression, array $expected): void
    {
        self::assertSame($expected, Specimen::made($expression));
    }

    public function testASetOfManyComesComplete(): void
    {
        $numbers = Specimen::made('set(range(1000))');
        self::assertTrue(array_is_list($numbers));
        sort($numbers);
        self::assertSame(range(0, 999), $numbers);
    }

    /** @return iterable<string, array{string}> */
    public static function dictsThatArraysCannotHold(): iterable
    {
        yield 'a number and the same as a text' => ['{1: "a", "1": "b"}'];
        yield 'a text and then the number' => ['{"7": "a", 8: "x", 7: "b"}'];
        yield 'a truth value' => ['{True: "a"}'];
        yield 'a float' => ['{1.5: "a"}'];
        yield 'a float without a fraction' => ['{2.0: "a"}'];
        yield 'None' => ['{None: "a"}'];
        yield 'bytes' => ['{b"k": "a"}'];
        yield 'a tuple' => ['{(1, 2): "a"}'];
        yield 'an integer beyond 64 bits' => ['{2**63: "a"}'];
    }

    /** @dataProvider dictsThatArraysCannotHold */
    public function testADictWhoseKeysPhpCannotHoldApartIsAReference(string $expression): void
    {
        $dict = Specimen::made($expression);
        self::assertInstanceOf(PyObject::class, $dict);
        self::assertTrue(Specimen::is_made($dict, $expression));
        self::assertSame($dict, Specimen::same(['in' => $dict])['in']);
        self::assertTrue(Specimen::is_made($dict->copy(), $expression), 'it has the methods of dict');
        [$inList] = Specimen::made("[{$expression}]");
        self::assertInstanceOf(PyObject::class, $inList);
    }

    public function testAKeyThatIsNotUtf8IsRefusedWithItsPlace(): void
    {
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessageMatches('/^args\[0\]\["rows"\]\[1\]: the array key ".*" is not UTF-8/');
        Specimen::same(['rows' => [0, ["\xff" => 1]]]);
    }

    public function testFiveHundredLevelsPass(): void
    {
        foreach (['list', 'dict'] as $kind) {
            $value = Specimen::nested(500, $kind);
            self::assertSame(500, self::depth($value));
            self::assertSame(500, Specimen::depth($value));
            self::assertSame($value, Specimen::same($value));
        }
        self::assertSame(500, self::depth(Specimen::nested(500, 'tuple')));
    }

    public function testDeeperValuesFromPhpAreRefusedWithTheLimit(): void
    {
        $value = 'leaf';
        for ($level = 0; $level < 600; $level++) {
            $value = $level % 2 ? ['k' => $value] : [$value];
        }
        $message = self::refusal(static fn() => Specimen::same($value));
        self::assertStringStartsWith('args[0]["k"][0]["k"]', $message);
        self::assertStringContainsString('512', $message);
        self::assertLessThan(400, \strlen($message), 'a path of 600 steps is not for reading');
        self::assertSame(1, Specimen::same(1));
    }

    public function testDeeperValuesFromPythonAreRefusedWithTheLimit(): void
    {
        foreach (['list', 'dict', 'tuple'] as $kind) {
            $message = self::refusal(static fn() => Specimen::nested(600, $kind));
            self::assertStringStartsWith($kind === 'dict' ? 'return value["k"]["k"]' : 'return value[0][0]', $message);
            self::assertStringContainsString('512', $message);
            self::assertLessThan(400, \strlen($message));
        }
        self::assertSame(1, Specimen::same(1));
    }

    public function testTheLimitOfDepthIsTheSameOnBothSides(): void
    {
        $value = Specimen::nested(512);
        self::assertSame(512, Specimen::depth($value));
        self::assertStringContainsString('512', self::refusal(static fn() => Specimen::nested(513)));
        self::assertStringContainsString('512', self::refusal(static fn() => Specimen::depth([$value])));
    }

    public function testAnArrayThatContainsItselfIsRefusedWithItsPlace(): void
    {
        $endless = ['x' => [0]];
        $endless['x'][1] = &$endless;
        $message = self::refusal(static fn() => Specimen::same($endless));
        self::assertMatchesRegularExpression('/^args\[0\]\["x"\]\[1\](\["x"\]\[1\])?: the array contains itself/', $message);
        $list = [1];
        $list[] = &$list;
        self::assertStringContainsString('contains itself', self::refusal(static fn() => Specimen::same(['deep' => $list])));
        self::assertSame(1, Specimen::same(1));
    }

    public function testAPythonListThatContainsItselfIsRefusedWithItsPlace(): void
    {
        self::assertStringStartsWith('return value[1][1]', self::refusal(static fn() => Specimen::endless_list()));
        self::assertStringStartsWith('return value["rows"][1]["rows"]', self::refusal(static fn() => Specimen::endless_dict()));
        self::assertSame(1, Specimen::same(1));
    }

    public function testAValueThatGrowsWithoutEndWhenCopiedIsRefused(): void
    {
        $message = self::refusal(static fn() => Specimen::doubling(24));
        self::assertStringContainsString('too large', $message);
        self::assertSame(1, Specimen::same(1));
    }

    public function testTheSameArrayTwiceIsNoCycle(): void
    {
        $shared = ['a' => [1]];
        self::assertSame("[{'a': [1]}, {'a': [1]}]", Specimen::seen([$shared, $shared]));
        self::assertSame([[1], [1]], Specimen::made('(lambda shared: [shared, shared])([1])'));
    }

    /** @param array<mixed> $value */
    private static function depth(array $value): int
    {
        $depth = 1;
        while (\is_array($value = reset($value))) {
            $depth++;
        }

        return $depth;
    }

    private static function refusal(callable $call): string
    {
        try {
            $call();
        } catch (ConversionException $error) {
            return $error->getMessage();
        }
        self::fail('nothing was refused');
    }
}
