<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Shelf;
use Tortoise\AccessException;
use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;
use function Tortoise\slice;

/** `$o[k]` is Python's `o[k]`: read, written, asked for, unset, appended, nested and sliced. */
final class ItemsTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    private static function make(string $kind, mixed ...$arguments): mixed
    {
        return Shelf::make($kind, ...$arguments);
    }

    public function testItemsAreReadWrittenAndUnset(): void
    {
        $shelf = new Shelf(a: 1);
        $shelf['b'] = [1, ['x' => 2]];
        $shelf[5] = 'five';
        $shelf['5'] = 'text';
        $shelf[1.5] = null;
        $shelf[true] = 'true';
        self::assertSame([1, [1, ['x' => 2]], 'five', 'text', null, 'true'], [$shelf['a'], $shelf['b'], $shelf[5], $shelf['5'], $shelf[1.5], $shelf[true]]);
        self::assertSame(['int', 'str'], [$shelf->type_of_key(5), $shelf->type_of_key('5')]);
        $shelf['a'] += 5;
        $shelf['a'] .= '!';
        $shelf['new'] ??= 'set';
        $shelf['new'] ??= 'again';
        self::assertSame(['6!', 'set'], [$shelf['a'], $shelf['new']]);
        unset($shelf['a'], $shelf[5]);
        self::assertSame([false, false, true], [isset($shelf['a']), isset($shelf[5]), isset($shelf['5'])]);
    }

    public function testPythonsExceptionsPassThrough(): void
    {
        $shelf = new Shelf();
        try {
            $shelf['absent'];
            self::fail('it is there');
        } catch (\Tortoise\Python\KeyError $error) {
            self::assertSame("'absent'", $error->getMessage());
        }
        try {
            self::make('row', 1)[3];
            self::fail('it is there');
        } catch (\Tortoise\Python\IndexError $error) {
            self::assertSame('list index out of range', $error->getMessage());
        }
        $this->expectException(\Tortoise\Python\KeyError::class);
        unset($shelf['absent']);
    }

    public function testIssetTriesTheItemAndNeverContains(): void
    {
        $shelf = new Shelf(there: 0, nothing: null);
        self::assertSame([true, false, false], [isset($shelf['there']), isset($shelf['nothing']), isset($shelf['absent'])]);
        self::assertSame([true, true, true], [empty($shelf['there']), empty($shelf['nothing']), empty($shelf['absent'])]);
        self::assertSame([0, 'x', 'y'], [$shelf['there'] ?? 'w', $shelf['nothing'] ?? 'x', $shelf['absent'] ?? 'y']);
        self::assertNotContains('contains', array_map(static fn(string $asked): string => strtok($asked, ' '), $shelf->asked));
        $shelf['deep'] = $shelf;
        self::assertTrue(isset($shelf['deep']['deep']['there']));
        self::assertFalse(isset($shelf['deep']['absent']['there']));
        self::assertTrue(isset(self::make('row', 5)[0]));
        self::assertFalse(isset(self::make('row', 5)[1]));
        $this->expectException(\Tortoise\Python\TypeError::class);
        $this->expectExceptionMessage('list indices must be integers or slices, not str');
        isset(self::make('row', 5)['x']);
    }

    public function testNestedWritesReachObjectsAndNeverCopies(): void
    {
        $shelf = new Shelf();
        $shelf['inner'] = new Shelf();
        $shelf['inner']['x']['y'] ?? null;
        $shelf['inner']['x'] = 1;
        $shelf->keep('row', 'row', 1, 2);
        $shelf['row'][0] = 'changed';
        $shelf['row'][] = 3;
        unset($shelf['row'][1]);
        self::assertSame([1, 'changed', 3, 2], [$shelf['inner']['x'], $shelf['row'][0], $shelf['row'][1], \count($shelf['row'])]);

        $shelf['copy'] = [1];
        $writes = [
            static function () use ($shelf): void { $shelf['copy'][] = 1; },
            static function () use ($shelf): void { $shelf['copy'][0] = 1; },
            static function () use ($shelf): void { unset($shelf['copy'][0]); },
            static function () use ($shelf): void { $shelf['copy'][0]++; },
            static function () use ($shelf): void { $reference = &$shelf['copy']; },
            static function () use ($shelf): void { sort($shelf['copy']); },
            static function () use ($shelf): void { $shelf['inner']['x']++; },
        ];
        foreach ($writes as $write) {
            try {
                $write();
                self::fail('the write was lost');
            } catch (ConversionException $error) {
                self::assertStringContainsString('$copy = $object[$key]; change $copy; then $object[$key] = $copy;', $error->getMessage());
            }
        }
        self::assertSame([[1], 1], [$shelf['copy'], $shelf['inner']['x']]);
        $this->expectException(\Tortoise\Python\KeyError::class);
        $shelf['absent']['x'] = 1;
    }

    public function testAppendingIsAppend(): void
    {
        $row = self::make('row');
        $row[] = 1;
        $row[] = ['a' => 2];
        self::assertSame([1, ['a' => 2], 2], [$row[0], $row[1], \count($row)]);
        try {
            $row[]['x'] = 1;
            self::fail('it has no value');
        } catch (ConversionException $error) {
            self::assertStringContainsString('append it whole', $error->getMessage());
        }
        $this->expectException(\Tortoise\Python\AttributeError::class);
        $this->expectExceptionMessage("'Shelf' object has no attribute 'append'");
        $shelf = new Shelf();
        $shelf[] = 1;
    }

    public function testSlicesAsTexts(): void
    {
        $row = self::make('row', 0, 1, 2, 3, 4);
        self::assertSame([[1, 2], [0, 2, 4], [0, 1, 2, 3, 4], [4, 3], [3, 4]], [$row['1:3'], $row['::2'], $row[':'], $row['-1:-3:-1'], $row[' 3 : ']]);
        $row['1:3'] = ['a', 'b', 'c'];
        unset($row['::2']);
        self::assertSame(['a', 'c', 4], [...array_map(static fn(int $at): mixed => $row[$at], [0, 1]), 4]);
        self::assertTrue(isset($row[':1']));

        $recorder = self::make('Recorder');
        self::assertSame('slice(1, 3, None)', $recorder['1:3']);
        foreach (['a:b', '1', '', '1:2:3:4', '1:x', ':99999999999999999999'] as $text) {
            self::assertSame("'{$text}'", $recorder[$text]);
        }
        // A class with keys() may have that key.
        self::assertSame("'1:3'", self::make('Keyed')['1:3']);
        self::assertSame('slice(1, 3, None)', self::make('Keyed')[slice(1, 3)]);
    }

    public function testSlicesAsObjects(): void
    {
        $recorder = self::make('Recorder');
        self::assertSame(
            ['slice(None, None, None)', 'slice(1, None, None)', 'slice(None, 3, None)', 'slice(1, 3, -1)', "slice('a', 'c', None)"],
            [$recorder[slice()], $recorder[slice(1)], $recorder[slice(stop: 3)], $recorder[slice(1, 3, -1)], $recorder[slice('a', 'c')]],
        );
        self::assertSame('(slice(1, 2, None), 0)', $recorder[[slice(1, 2), 0]]);
        self::assertSame('[1, 0]', $recorder[[1, 0]]);
        self::assertInstanceOf(\Tortoise\PyObject::class, slice(1));
        self::assertSame([1, 2], [slice(1, 2)->start, slice(1, 2)->stop]);
        self::assertSame(['x', 'y'], array_slice(self::make('row', 'x', 'y', 'z')[slice(0, 2)], 0));
        $this->expectException(\ArgumentCountError::class);
        slice(1, 2, 3, 4);
    }

    public function testAnObjectWithoutItemsIsNoArray(): void
    {
        $plain = self::make('Plain');
        foreach (['read' => static fn() => $plain['x'], 'isset' => static fn() => isset($plain['x']), 'append' => static function () use ($plain): void { $plain[] = 1; }] as $use) {
            try {
                $use();
                self::fail('it was used as an array');
            } catch (\Error $error) {
                self::assertStringContainsString('as array', $error->getMessage());
            }
        }
    }

    public function testObjectsWithoutAClassOfTheirOwn(): void
    {
        $colours = self::make('enumeration');
        self::assertSame('r', $colours['RED']->value);
        self::assertFalse(isset($colours['BLUE']));
        self::assertSame(1, \count($colours));
        $this->expectException(\Tortoise\Python\TypeError::class);
        $this->expectExceptionMessage('not subscriptable');
        self::make('function')['x'];
    }

    public function testWhatPythonCannotHaveIsRefusedByName(): void
    {
        $shelf = new Shelf();
        foreach ([['the key', static fn() => $shelf[STDIN]], ['the value', static function () use ($shelf): void { $shelf['x'] = ['a' => STDIN]; }]] as [$place, $use]) {
            try {
                $use();
                self::fail('it was taken');
            } catch (ConversionException $error) {
                self::assertStringStartsWith($place, $error->getMessage());
            }
        }
        self::assertFalse(isset($shelf['x']));
        $this->expectException(\Tortoise\Python\TypeError::class);
        $this->expectExceptionMessage('unhashable');
        $shelf[[1]] = 2;
    }

    public function testAPhpSubclassMayHaveItemsOfItsOwn(): void
    {
        $shelf = new class (a: 1) extends Shelf {
            public function offsetGet(mixed $offset): mixed
            {
                return $offset === 'a' ? parent::offsetGet($offset) + 100 : "php {$offset}";
            }

            public function offsetExists(mixed $offset): bool
            {
                return $offset !== 'never';
            }
        };
        self::assertSame([101, 'php b', true, false, 'php c'], [$shelf['a'], $shelf['b'], isset($shelf['b']), isset($shelf['never']), $shelf['c'] ?? 'absent']);
        $shelf['a'] = 5;
        self::assertSame(105, $shelf['a']);
    }
}
