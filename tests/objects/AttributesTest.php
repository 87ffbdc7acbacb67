<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** `$o->name` is Python's attribute, whatever PHP does with it. */
final class AttributesTest extends TestCase
{
    private Vessel $vessel;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->vessel = new Vessel('v');
    }

    public function testReadAndWrite(): void
    {
        self::assertSame('v', $this->vessel->name);
        $this->vessel->name = 'w';
        self::assertSame('w', $this->vessel->name);
        self::assertSame("'w'", $this->vessel->shown('name'));
        self::assertSame('x', $this->vessel->name = 'x', 'an assignment has its value');
        $this->vessel->fresh = [1, 'k' => 2];
        self::assertSame("{0: 1, 'k': 2}", $this->vessel->shown('fresh'));
        $name = 'fresh';
        self::assertSame([1, 'k' => 2], $this->vessel->$name);
        $this->vessel->{'with space'} = 1;
        self::assertSame(1, $this->vessel->{'with space'});
        $this->vessel->{'ä'} = 2;
        self::assertSame(2, $this->vessel->ä);
        $this->vessel->{'7'} = 3;
        self::assertSame(3, $this->vessel->{'7'});
    }

    public function testProperties(): void
    {
        self::assertSame('V', $this->vessel->upper);
        $this->vessel->writable = 2;
        self::assertSame(20, $this->vessel->writable);
        self::assertSame(20, $this->vessel->count);
        $this->expectException(\Tortoise\Python\AttributeError::class);
        $this->vessel->upper = 'X';
    }

    public function testIsset(): void
    {
        self::assertTrue(isset($this->vessel->name));
        self::assertTrue(isset($this->vessel->count));
        self::assertTrue(isset($this->vessel->upper));
        self::assertTrue(isset($this->vessel->SIDES), 'a class attribute is seen through the object');
        self::assertFalse(isset($this->vessel->nothing), 'None is null, and null is not set');
        self::assertFalse(isset($this->vessel->absent));
        self::assertFalse(isset($this->vessel->absent->deeper->still));
        self::assertFalse(isset($this->vessel->nothing->deeper));
        $this->vessel->nest();
        self::assertTrue(isset($this->vessel->child->name));
        self::assertFalse(isset($this->vessel->child->child));
        self::assertFalse(isset($this->vessel->name, $this->vessel->absent));
    }

    public function testIssetWithinACopy(): void
    {
        $this->vessel->by_name = ['a' => ['b' => 1, 'n' => null]];
        self::assertTrue(isset($this->vessel->by_name['a']['b']));
        self::assertFalse(isset($this->vessel->by_name['a']['n']));
        self::assertFalse(isset($this->vessel->by_name['x']['b']));
        self::assertFalse(isset($this->vessel->absent['x']));
        self::assertSame(1, $this->vessel->by_name['a']['b']);
        self::assertSame('d', $this->vessel->by_name['x']['b'] ?? 'd');
    }

    public function testEmpty(): void
    {
        self::assertTrue(empty($this->vessel->count));
        self::assertTrue(empty($this->vessel->log));
        self::assertTrue(empty($this->vessel->nothing));
        self::assertTrue(empty($this->vessel->absent));
        self::assertFalse(empty($this->vessel->name));
        $this->vessel->name = '0';
        self::assertTrue(empty($this->vessel->name), 'as PHP sees the value');
        self::assertFalse(empty($this->vessel->myself()));
    }

    public function testNullCoalescing(): void
    {
        self::assertSame('v', $this->vessel->name ?? 'd');
        self::assertSame('d', $this->vessel->absent ?? 'd');
        self::assertSame('d', $this->vessel->nothing ?? 'd');
        self::assertSame('d', $this->vessel->child->name ?? 'd');
        self::assertSame(0, $this->vessel->count ?? 'd');
        self::assertNull($this->vessel->child?->name);
        self::assertSame('new', $this->vessel->absent ??= 'new');
        self::assertSame("'new'", $this->vessel->shown('absent'));
        self::assertSame('v', $this->vessel->name ??= 'other');
    }

    public function testPropertyExists(): void
    {
        self::assertTrue(property_exists($this->vessel, 'name'));
        self::assertTrue(property_exists($this->vessel, 'nothing'), 'it is there, and None');
        self::assertFalse(property_exists($this->vessel, 'absent'));
        self::assertFalse(property_exists($this->vessel, '_secret'));
    }

    public function testUnset(): void
    {
        $this->vessel->fresh = 1;
        unset($this->vessel->fresh);
        self::assertFalse($this->vessel->has('fresh'));
        unset($this->vessel->name, $this->vessel->count);
        self::assertFalse(isset($this->vessel->name));
        $this->expectException(\Tortoise\Python\AttributeError::class);
        $this->vessel->name;
    }

    public function testUnsetOfWhatIsNotThereIsAsInPhp(): void
    {
        unset($this->vessel->absent);
        self::assertFalse($this->vessel->has('absent'));
        $this->expectException(\Tortoise\Python\AttributeError::class);
        unset($this->vessel->upper);
    }

    public function testCompoundAssignments(): void
    {
        $this->vessel->count += 2;
        $this->vessel->count *= 5;
        self::assertSame(10, $this->vessel->count);
        self::assertSame(10, $this->vessel->count++);
        self::assertSame(12, ++$this->vessel->count);
        self::assertSame(12, $this->vessel->count--);
        self::assertSame(10, --$this->vessel->count);
        $this->vessel->count **= 2;
        $this->vessel->count -= 0.5;
        self::assertSame(99.5, $this->vessel->count);
        $this->vessel->name .= '!';
        self::assertSame('v!', $this->vessel->name);
        $this->vessel->log = [...$this->vessel->log, 'x'];
        self::assertSame("['x']", $this->vessel->shown('log'));
        self::assertSame('99.5', $this->vessel->shown('count'));
    }

    public function testNestedObjectsAreWrittenThrough(): void
    {
        $child = $this->vessel->nest();
        $this->vessel->child->name = 'renamed';
        $this->vessel->child->count += 3;
        $this->vessel->child->count++;
        $this->vessel->child->added = [1];
        unset($this->vessel->child->nothing);
        self::assertSame(['renamed', 4, [1]], [$child->name, $child->count, $child->added]);
        self::assertFalse($child->has('nothing'));
        $child->nest();
        $this->vessel->child->child->name = 'deep';
        self::assertSame('deep', $child->child->name);
    }

    public function testAnAttributeOfNoneHasNoAttributes(): void
    {
        $this->expectException(\Throwable::class);
        $this->expectExceptionMessageMatches('/Attempt to assign property "name" on null|copy/');
        $this->vessel->child->name = 'x';
    }

    public function testAMissingAttributeIsPythonsError(): void
    {
        try {
            $this->vessel->absent;
            self::fail('there is such an attribute');
        } catch (\Tortoise\Python\AttributeError $error) {
            self::assertStringContainsString("'Vessel' object has no attribute 'absent'", $error->getMessage());
        }
    }

    public function testTheClassDecidesAboutItsAttributes(): void
    {
        $gate = Vessel::gate();
        self::assertSame('virtual_x', $gate->virtual_x);
        self::assertTrue(isset($gate->virtual_y));
        self::assertFalse(isset($gate->other));
        $gate->width = 5;
        self::assertSame([5], $gate->width, '__setattr__ was asked');
        unset($gate->width);
        self::assertFalse(isset($gate->width));
        foreach ([
            [static fn() => $gate->broken, \Tortoise\Python\RuntimeError::class],
            [static fn() => isset($gate->broken), \Tortoise\Python\RuntimeError::class],
            [static fn() => $gate->failing, \Tortoise\Python\LookupError::class],
            [static function () use ($gate): void { $gate->locked = 1; }, \Tortoise\Python\PermissionError::class],
            [static function () use ($gate): void { unset($gate->locked); }, \Tortoise\Python\PermissionError::class],
        ] as [$use, $class]) {
            try {
                $use();
                self::fail("no {$class}");
            } catch (\Tortoise\PythonException $error) {
                self::assertInstanceOf($class, $error);
                self::assertSame(__DIR__ . '/Vessel.py', $error->getFile());
            }
        }
    }

    public function testAClassWithoutADictionary(): void
    {
        $slots = Vessel::slots();
        $slots->width = 2;
        self::assertSame(2, $slots->width);
        $this->expectException(\Tortoise\Python\AttributeError::class);
        $slots->height = 3;
    }

    public function testClassAttributes(): void
    {
        $class = \Tortoise\type('Vessel');
        self::assertSame(Vessel::SIDES, $class->SIDES);
        self::assertSame(['a', 'b'], Vessel::NAMES);
        $launched = $class->launched;
        new Vessel();
        self::assertSame($launched + 1, $class->launched, 'the attribute is live');
        $class->launched = 100;
        self::assertSame(100, $this->vessel->launched);
        $this->vessel->launched = 5;
        self::assertSame([5, 100], [$this->vessel->launched, $class->launched], 'an attribute of the object hides it');
        self::assertSame(3, $class->add(2));
        self::assertSame('Vessel', $class->which());
        $class->added = 'by PHP';
        self::assertSame('by PHP', (new Vessel())->added);
        unset($class->added);
        self::assertFalse(isset($this->vessel->added));
        self::assertSame($class, \Tortoise\type('\vessel'));
        self::assertSame('made', $class('made')->name, 'a class can be called');
    }

    public function testTheNameOfAnAttributeMustBeUtf8(): void
    {
        $this->expectException(\Tortoise\AccessException::class);
        $this->vessel->{"\xff"} = 1;
    }

    public function testAnAttributeOfWhatCannotCrossIsNamed(): void
    {
        try {
            $this->vessel->bad = ['x' => fopen('php://memory', 'r')];
            self::fail('a resource crossed');
        } catch (\Tortoise\ConversionException $error) {
            self::assertStringContainsString('bad', $error->getMessage());
            self::assertStringContainsString('["x"]', $error->getMessage());
            self::assertSame(__FILE__, $error->getFile());
        }
        self::assertFalse($this->vessel->has('bad'));
    }
}
