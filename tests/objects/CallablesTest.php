<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** What can be called in Python can be called in PHP, and only that. */
final class CallablesTest extends TestCase
{
    private Vessel $vessel;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->vessel = new Vessel('c');
    }

    public function testFunctionsAreCalled(): void
    {
        $add = $this->vessel->adder(5);
        self::assertSame(6, $add(1));
        self::assertSame([6, 7], array_map($add, [1, 2]));
        self::assertSame([[1], ['k' => 2]], $this->vessel->function()(1, k: 2));
        self::assertSame(3, $this->vessel->builtin()([1, 2, 3]));
        self::assertSame("'c'", $this->vessel->bound()('name'));
        self::assertSame("'c'", ($this->vessel->bound())(name: 'name'));
        self::assertSame(6, \call_user_func($add, 1));
        self::assertSame(6, \call_user_func_array($add, [1]));
        self::assertSame(6, $add(...)(1));
        self::assertSame(6, \Closure::fromCallable($add)(1));
        self::assertSame(6, $add->__invoke(1));
    }

    public function testClassesAreCalled(): void
    {
        $class = $this->vessel->a_class();
        self::assertInstanceOf(Vessel::class, $class('made'));
        self::assertSame('made', $class(name: 'made')->name);
        self::assertSame(1, ($this->vessel->foreign_class())(x: 1)->x);
    }

    public function testObjectsWithACallAreCalled(): void
    {
        $helper = $this->vessel->helper();
        self::assertSame([[1, 2], ['k' => 3]], $helper(1, 2, k: 3));
        self::assertSame([[], []], $helper());
    }

    public function testOthersAreNot(): void
    {
        self::assertFalse(\is_callable($this->vessel));
        self::assertFalse(\is_callable($this->vessel->module()));
        self::assertFalse(\is_callable($this->vessel->namespace()));
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('not callable');
        ($this->vessel)();
    }

    public function testIsCallableTellsTheTruth(): void
    {
        foreach (['function', 'builtin', 'bound', 'a_class', 'foreign_class', 'helper'] as $method) {
            self::assertTrue(\is_callable($this->vessel->$method()), $method);
        }
        self::assertTrue(\is_callable([$this->vessel, 'nest']));
        self::assertTrue(\is_callable([$this->vessel, 'NEST']), 'PHP does not tell the case of methods');
        self::assertFalse(\is_callable([$this->vessel, 'absent']));
        self::assertFalse(\is_callable([$this->vessel, 'name']), 'an attribute that is a string');
        self::assertFalse(\is_callable([$this->vessel, '_private']));
        self::assertFalse(\is_callable([$this->vessel, '__init__']));
        self::assertTrue(\is_callable(['Vessel', 'add']));
        self::assertTrue(\is_callable('Vessel::launch'));
        self::assertFalse(\is_callable('Vessel::absent'));
        $this->vessel->attached = $this->vessel->adder(1);
        self::assertTrue(\is_callable([$this->vessel, 'attached']), 'an attribute that is a function');
    }

    public function testAnAttributeThatIsAFunctionIsCalledAsAMethod(): void
    {
        $this->vessel->attached = $this->vessel->adder(10);
        self::assertSame(11, $this->vessel->attached(1));
        self::assertSame(11, ($this->vessel->attached)(1));
        unset($this->vessel->attached);
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('Call to undefined method Vessel::attached()');
        $this->vessel->attached(1);
    }

    public function testFunctionsGoBackAsThemselves(): void
    {
        $add = $this->vessel->adder(2);
        self::assertSame(5, $this->vessel->call($add, 3));
        self::assertSame([[1], ['k' => 2]], $this->vessel->call($this->vessel->function(), 1, k: 2));
        self::assertInstanceOf(Vessel::class, $this->vessel->call(\Tortoise\type('Vessel')));
        self::assertSame([1, 2, 3], $this->vessel->call($this->vessel->sorter(), [3, 1, 2]));
    }

    public function testMembersOfModulesAreCalled(): void
    {
        $module = $this->vessel->module();
        self::assertSame([[1], ['k' => 2]], $module->describe(1, k: 2));
        self::assertInstanceOf(Vessel::class, $module->Vessel());
    }

    public function testAMethodOfAnObjectIsAPhpClosure(): void
    {
        $shown = $this->vessel->shown(...);
        self::assertInstanceOf(\Closure::class, $shown);
        self::assertSame(["'c'", '0'], array_map($shown, ['name', 'count']));
        self::assertSame([3], array_map(Vessel::add(...), [1], [2]));
    }

    public function testPhpsFunctionsAndObjectsCrossByReference(): void
    {
        foreach ([static fn() => 1, new \stdClass(), new \ArrayObject([1]), $this->vessel->nest(...)] as $value) {
            $this->vessel->kept = ['callback' => $value];
            self::assertSame($value, $this->vessel->kept['callback']);
        }
    }
}
