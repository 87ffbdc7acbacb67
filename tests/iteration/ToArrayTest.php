<?php

declare(strict_types=1);

namespace Tortoise\Tests\Iteration;

use Loop;
use Tortoise\ConversionException;
use Tortoise\PyObject;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** `toArray()` gives the elements by value, unless Python's class has a method of that name. */
final class ToArrayTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
        class_exists(Loop::class);
    }

    public function testElements(): void
    {
        self::assertSame([0, 1, 2], Loop::raw('range(3)')->toArray());
        self::assertSame(['x', 'y'], Loop::made('("x", "y")')->toArray());
        self::assertSame([], Loop::made('[]')->toArray());
        self::assertSame(range(0, 99_999), Loop::raw('range(100000)')->toArray());
        self::assertSame(
            ['b' => 1, 'a' => [2]],
            Loop::raw('__import__("types").MappingProxyType({"b": 1, "a": [2]})')->toArray(),
        );
    }

    public function testNothingThatMayHaveNoEnd(): void
    {
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage('no length');
        (new Loop(3))->toArray();
    }

    public function testPythonsOwnMethodComesFirst(): void
    {
        $own = Loop::raw('Loop.__init__.__globals__["Own"]()');
        self::assertInstanceOf('Loop\Own', $own);
        self::assertSame('own 1 2', $own->toArray(1));
        self::assertSame('own 1 3', $own->toArray(1, second: 3));
        $this->expectException(\ArgumentCountError::class);
        $own->toArray();
    }

    public function testANameThatPhpCannotTellApart(): void
    {
        $lower = Loop::raw('Loop.__init__.__globals__["Lower"]()');
        self::assertInstanceOf('Loop\Lower', $lower);
        self::assertSame('lower', $lower->toarray());
        self::assertSame(['a', 'b'], $lower->toArray());
    }

    public function testWhatPhpSays(): void
    {
        Loop::raw('[Loop.__init__.__globals__[name]() for name in ("Own", "Lower")]');
        self::assertTrue(method_exists(Loop::class, 'toArray'));
        self::assertSame(PyObject::class, (new \ReflectionMethod(Loop::class, 'toArray'))->class);
        self::assertSame('Loop\Own', (new \ReflectionMethod('Loop\Own', 'toArray'))->class);
        $child = new class () extends Loop {
            public function toArray(): array
            {
                return ['mine'];
            }
        };
        self::assertSame(['mine'], $child->toArray());
    }

    public function testAModulesOwnFunctionComesFirst(): void
    {
        // A module of a class root: others are not open.
        $file = 'setattr(m, "__file__", Loop.__init__.__globals__["__file__"])';
        $module = Loop::raw('(lambda m: (' . $file . ', setattr(m, "toArray", lambda: "the module\'s"), m)[2])(type(__import__("sys"))("some"))');
        self::assertSame("the module's", $module->toArray());
    }

    public function testNoArguments(): void
    {
        $this->expectException(\ArgumentCountError::class);
        (new Loop(3))->toArray(1);
    }
}
