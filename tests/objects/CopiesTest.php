<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** A list or dict of Python is a copy in PHP: writing into it would be lost, so it is refused with the remedy. */
final class CopiesTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{callable(Vessel): mixed}> */
    public static function lostWrites(): iterable
    {
        yield 'append' => [static function (Vessel $o): void { $o->log[] = 1; }];
        yield 'set' => [static function (Vessel $o): void { $o->log['k'] = 1; }];
        yield 'set deeply' => [static function (Vessel $o): void { $o->log['a']['b'] = 1; }];
        yield 'compound' => [static function (Vessel $o): void { $o->log[0] += 1; }];
        yield 'increment' => [static function (Vessel $o): void { $o->log[0]++; }];
        yield 'coalescing' => [static function (Vessel $o): void { $o->log['new'] ??= 1; }];
        yield 'unset' => [static function (Vessel $o): void { unset($o->log[0]); }];
        yield 'unset deeply' => [static function (Vessel $o): void { unset($o->log[0]['x']); }];
        yield 'sort' => [static fn(Vessel $o) => sort($o->log)];
        yield 'array_push' => [static fn(Vessel $o) => array_push($o->log, 1)];
        yield 'array_shift' => [static fn(Vessel $o) => array_shift($o->log)];
        yield 'reference' => [static function (Vessel $o): void { $reference = &$o->log; $reference[] = 1; }];
        yield 'reference to an element' => [static function (Vessel $o): void { $reference = &$o->log[0]; }];
        yield 'reference to a scalar' => [static function (Vessel $o): void { $reference = &$o->count; $reference = 5; }];
        yield 'foreach by reference' => [static function (Vessel $o): void { foreach ($o->log as &$item) { $item = 0; } }];
        yield 'a parameter by reference' => [static fn(Vessel $o) => preg_match('/./', 'x', $o->log)];
        yield 'a property by reference of one\'s own' => [static fn(Vessel $o) => (static function (array &$list): void { $list[] = 1; })($o->log)];
        yield 'destructuring by reference' => [static function (Vessel $o): void { [&$first] = $o->log; }];
    }

    /**
     * @dataProvider lostWrites
     * @param callable(Vessel): mixed $write
     */
    public function testAWriteThatWouldBeLostIsRefused(callable $write): void
    {
        $vessel = new Vessel();
        $vessel->log = [3, 1, 2];
        try {
            $write($vessel);
            self::fail('the write was lost');
        } catch (ConversionException $error) {
            self::assertMatchesRegularExpression(
                '/\$copy = \$object->(log|count); change \$copy; then \$object->\1 = \$copy;/',
                $error->getMessage(),
            );
            self::assertSame(__FILE__, $error->getFile());
        }
        self::assertSame([3, 1, 2], $vessel->log);
        self::assertSame(0, $vessel->count);
    }

    public function testTheRemedyWorks(): void
    {
        $object = new Vessel();
        $object->log = [3, 1, 2];
        $copy = $object->log;
        sort($copy);
        $copy[] = 9;
        self::assertSame([3, 1, 2], $object->log);
        $object->log = $copy;
        self::assertSame('[1, 2, 3, 9]', $object->shown('log'));
    }

    public function testReadingIsAllowed(): void
    {
        $object = new Vessel();
        $object->log = [['a' => 1], ['a' => 2]];
        $seen = [];
        foreach ($object->log as $index => $row) {
            $seen[$index] = $row['a'];
        }
        self::assertSame([1, 2], $seen);
        [$first] = $object->log;
        ['a' => $value] = $object->log[1];
        self::assertSame([['a' => 1], 2], [$first, $value]);
        self::assertSame([1, 2], array_column($object->log, 'a'));
        self::assertCount(2, $object->log);
        self::assertSame(2, end($seen));
        self::assertSame(['a' => 2], array_slice($object->log, -1)[0]);
        self::assertSame(2, max(array_map(static fn(array $row): int => $row['a'], $object->log)));
    }

    public function testACopyIsPhpsOwn(): void
    {
        $object = new Vessel();
        $object->log = [1];
        $one = $object->log;
        $other = $object->log;
        $one[] = 2;
        self::assertSame([[1, 2], [1], [1]], [$one, $other, $object->log]);
    }

    public function testAnObjectWithinACopyIsNoCopy(): void
    {
        $object = new Vessel();
        $object->keep([new Vessel('inner')]);
        $copy = $object->kept;
        $copy[0]->name = 'renamed';
        self::assertSame('renamed', $object->kept[0]->name);
        foreach ($object->kept as $inner) {
            $inner->count = 7;
        }
        self::assertSame(7, $object->kept[0]->count);
    }

    public function testAReferenceToAnObjectIsTheObject(): void
    {
        $object = new Vessel();
        $object->nest();
        (static function (Vessel &$child): void { $child->name = 'by reference'; })($object->child);
        self::assertSame('by reference', $object->child->name);
    }
}
