<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Shelf;
use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Copies, dumps and casts of objects. */
final class CopiesTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testACloneIsACopyOfItsOwn(): void
    {
        $row = Shelf::make('row', 1, 2);
        $copy = clone $row;
        $copy[] = 3;
        self::assertSame([2, 3, $row::class], [\count($row), \count($copy), $copy::class]);
        self::assertFalse(Shelf::is_same($row, $copy));
        self::assertTrue($row == clone $row);
        // What it holds is shared, as in Python and in PHP.
        $shelf = new Shelf(a: 1);
        $other = clone $shelf;
        $other['b'] = 2;
        self::assertSame(2, $shelf['b']);
    }

    public function testPythonDecidesWhatACopyIs(): void
    {
        $decimal = Shelf::make('decimal', '1.5');
        $same = clone $decimal;
        self::assertNotSame($decimal, $same);
        self::assertTrue($decimal == $same);
        self::assertTrue(Shelf::is_same($decimal, $same));
        unset($decimal);
        self::assertSame('3.0', (string) ($same * 2));
        self::assertSame('copy', (clone Shelf::make('Copied', 'new'))->name);
        self::assertSame(Shelf::make('Plain')::class, (clone Shelf::make('Copied', 'other'))::class);
        $function = Shelf::make('function');
        self::assertSame(3, (clone $function)('abc'));
        try {
            clone Shelf::make('Copied', 'value');
            self::fail('a list is no object');
        } catch (ConversionException $error) {
            self::assertStringContainsString('is a value in PHP and no object', $error->getMessage());
        }
        $this->expectException(\Tortoise\Python\TypeError::class);
        clone Shelf::make('generator');
    }

    public function testACloneOfAPhpSubclass(): void
    {
        $shelf = new class (a: 1) extends Shelf {
            public array $own = ['php'];
            public int $clones = 0;

            public function __clone()
            {
                $this->clones++;
                $this['cloned'] = true;
            }
        };
        $shelf->own[] = 'more';
        $copy = clone $shelf;
        $copy->own[] = 'copy';
        self::assertSame([$shelf::class, ['php', 'more'], ['php', 'more', 'copy'], 0, 1], [$copy::class, $shelf->own, $copy->own, $shelf->clones, $copy->clones]);
        self::assertTrue($copy['cloned']);
    }

    public function testACloneOfWhatWasNeverMade(): void
    {
        $shelf = (new \ReflectionClass(Shelf::class))->newInstanceWithoutConstructor();
        $this->expectException(\Tortoise\StaleObjectException::class);
        clone $shelf;
    }

    public function testSerializationIsRefused(): void
    {
        foreach ([new Shelf(), Shelf::make('row'), Shelf::make('function')] as $object) {
            try {
                serialize([$object]);
                self::fail('it was serialized');
            } catch (\Exception $error) {
                self::assertSame("Serialization of '" . $object::class . "' is not allowed", $error->getMessage());
            }
        }
    }

    public function testDumpsAreASummaryMadeHere(): void
    {
        $shelf = new Shelf(secret: 'in Python');
        $shelf->asked;
        ob_start();
        var_dump($shelf);
        print_r($shelf);
        var_export($shelf);
        $dump = (string) ob_get_clean();
        self::assertMatchesRegularExpression('/^object\(Shelf\)#\d+ \(3\) \{\s+\["python"\]=>\s+string\(11\) "Shelf.Shelf"\s+\["id"\]=>\s+int\(\d+\)\s+\["session"\]=>\s+string\(4\) "live"/', $dump);
        self::assertStringContainsString('[python] => Shelf.Shelf', $dump);
        self::assertStringContainsString("'python' => 'Shelf.Shelf'", $dump);
        self::assertStringNotContainsString('in Python', $dump);
        self::assertSame([], $shelf->asked);
        self::assertStringNotContainsString('python', print_r(Shelf::make('function'), true));
        self::assertStringContainsString('[session] => gone', print_r((new \ReflectionClass(Shelf::class))->newInstanceWithoutConstructor(), true));
        $own = new class () extends Shelf {
            public string $python = 'mine';
        };
        self::assertStringContainsString('[python] => mine', print_r($own, true));
    }

    public function testCasts(): void
    {
        $decimal = Shelf::make('decimal', '12.75');
        self::assertSame(['12.75', 12, 12.75, true, '12.75', '12'], [(string) $decimal, (int) $decimal, (float) $decimal, (bool) $decimal, "{$decimal}", sprintf('%d', $decimal)]);
        self::assertSame([3, '3'], [(int) Shelf::make('Level', 3), (string) Shelf::make('Level', 3)]);
        self::assertSame(['shown', 'a shelf of 0', '[1]'], [(string) Shelf::make('Shown'), (string) new Shelf(), (string) Shelf::make('row', 1)]);
        self::assertSame('A SHELF OF 0', strtoupper((string) new Shelf()));
        self::assertSame("<class 'Shelf.Row'>", (string) Shelf::make('class'));
        self::assertSame('99999999999999999999', (string) Shelf::make('big', '99999999999999999999'));
        try {
            (int) Shelf::make('big', '99999999999999999999');
            self::fail('it fits');
        } catch (ConversionException $error) {
            self::assertStringContainsString("does not fit in PHP's 64 bits", $error->getMessage());
        }
        foreach (['Plain', 'Silent'] as $kind) {
            try {
                self::fail((string) Shelf::make($kind));
            } catch (\Error $error) {
                self::assertStringContainsString('could not be converted to string', $error->getMessage());
            }
        }
        self::assertSame(1, @(int) Shelf::make('Plain'));
        self::assertStringContainsString('could not be converted to int', (string) (error_get_last()['message'] ?? ''));
    }
}
