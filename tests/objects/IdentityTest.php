<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\PyObject;
use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** One Python object is one PHP object, of its true class, however it comes and goes. */
final class IdentityTest extends TestCase
{
    private Vessel $vessel;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->vessel = new Vessel('identity');
    }

    public function testTheSameObjectIsTheSameProxy(): void
    {
        self::assertSame($this->vessel, $this->vessel->myself());
        self::assertSame($this->vessel, $this->vessel->myself()->myself());
        $child = $this->vessel->nest();
        self::assertSame($child, $this->vessel->child);
        self::assertSame($this->vessel->child, $this->vessel->child);
    }

    public function testThroughListsDictsAndTuples(): void
    {
        [$first, $dict, $tuple] = $this->vessel->pair($this->vessel);
        self::assertSame($this->vessel, $first);
        self::assertSame($this->vessel, $dict['again']);
        self::assertSame($this->vessel, $tuple[0]);
        $child = $this->vessel->nest();
        $this->vessel->log = [$child, ['c' => $child], $child];
        self::assertSame([$child, ['c' => $child], $child], $this->vessel->log);
    }

    public function testPassedBackItIsTheVeryObject(): void
    {
        $other = new Vessel();
        self::assertTrue($this->vessel->is_same($this->vessel, $this->vessel));
        self::assertFalse($this->vessel->is_same($this->vessel, $other));
        $this->vessel->keep($other);
        self::assertTrue($this->vessel->is_same($this->vessel->kept, $other));
        $this->vessel->keep(['deep' => [$other]]);
        self::assertSame($other, $this->vessel->kept['deep'][0]);
        $this->vessel->attribute = $other;
        self::assertSame($other, $this->vessel->attribute);
        self::assertTrue($this->vessel->is_same(other: $other, one: $this->vessel->attribute));
    }

    public function testItStaysTheSameWhileSomebodyInPhpHasIt(): void
    {
        $child = $this->vessel->nest();
        $id = spl_object_id($child);
        unset($child);
        $again = $this->vessel->child;
        self::assertSame('child', $again->name);
        self::assertSame($again, $this->vessel->child);
        self::assertIsInt($id);
    }

    public function testAnObjectComesAsItsTrueClass(): void
    {
        self::assertSame(Vessel::class, $this->vessel->nest()::class);
        $helper = $this->vessel->helper();
        self::assertSame('Vessel\Helper', $helper::class);
        self::assertSame($this->vessel, $helper->owner);
        $namespace = $this->vessel->namespace(x: 1);
        self::assertSame('Tortoise\Python\types\SimpleNamespace', $namespace::class);
        self::assertInstanceOf(PyObject::class, $namespace);
        $namespace->y = [2];
        self::assertSame([1, [2]], [$namespace->x, $namespace->y]);
        self::assertSame('SimpleNamespace', $this->vessel->type_name($namespace));
        self::assertSame('generator', $this->vessel->type_name($this->vessel->numbers()));
    }

    public function testClassesModulesAndFunctionsArePlainObjects(): void
    {
        foreach (['function', 'builtin', 'bound', 'a_class', 'foreign_class', 'module'] as $method) {
            $object = $this->vessel->$method();
            self::assertSame(PyObject::class, $object::class, $method);
            self::assertTrue($this->vessel->is_same($object, $object));
        }
        self::assertSame($this->vessel->function(), $this->vessel->function());
        self::assertSame($this->vessel->a_class(), \Tortoise\type('Vessel'));
        self::assertIsInt($this->vessel->module()->LARGEST);
        self::assertSame(PHP_INT_MAX, $this->vessel->module()->LARGEST);
    }

    public function testInArraysAndAsKeysOfMaps(): void
    {
        $child = $this->vessel->nest();
        $map = new \SplObjectStorage();
        $map[$child] = 'found';
        self::assertSame('found', $map[$this->vessel->child]);
        $weak = new \WeakMap();
        $weak[$child] = 1;
        self::assertSame(1, $weak[$this->vessel->child]);
        self::assertContains($this->vessel->child, [$this->vessel, $child]);
        self::assertSame(1, array_search($this->vessel->child, [$this->vessel, $child], true));
        unset($child);
        self::assertCount(1, $weak, 'the storage holds it');
        unset($map);
        self::assertCount(0, $weak);
    }

    public function testEqualityAndOrder(): void
    {
        $other = new Vessel('identity');
        self::assertTrue($this->vessel == $this->vessel->myself());
        self::assertFalse($this->vessel == $other);
        self::assertTrue($this->vessel != $other);
        self::assertFalse($this->vessel == null);
        self::assertFalse($this->vessel == new \stdClass());
        self::assertFalse($this->vessel == []);
        self::assertTrue($this->vessel == true, 'an object is truthy');
        self::assertSame(0, $this->vessel <=> $this->vessel->myself());
        self::assertFalse($this->vessel < $other);
        self::assertFalse($this->vessel > $other, 'neither is before the other');
        self::assertTrue((bool) $this->vessel);
        self::assertTrue(\in_array($this->vessel, [new Vessel(), $this->vessel->myself()]));
        self::assertFalse(\in_array($this->vessel, [new Vessel(), 'x', null]));
    }
}
