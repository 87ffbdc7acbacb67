<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Lying;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** What an object or its class says about itself is not asked where the truth is known. */
final class LyingTest extends TestCase
{
    private Lying $lying;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->lying = new Lying();
    }

    /** @return iterable<string, array{string}> */
    public static function speakers(): iterable
    {
        yield 'a class that answers nothing' => ['mute_class'];
        yield 'an object that fails to say its class' => ['no_class'];
        yield 'an object that poses as a list' => ['posing_as_list'];
        yield 'a class whose name is no name' => ['odd_name'];
        yield 'a class that is named like one of PHP' => ['named_like_phps'];
    }

    /** @dataProvider speakers */
    public function testItIsAnObjectLikeAnyOther(string $method): void
    {
        $object = $this->lying->$method();
        self::assertInstanceOf(\Tortoise\PyObject::class, $object);
        self::assertSame('spoken', $object->speak());
        self::assertMatchesRegularExpression('/^[\w\\\\]+$/', $object::class);
        self::assertFalse(\is_callable($object));
        $object->added = 1;
        self::assertSame(1, $object->added);
    }

    public function testACallThatCannotBeLookedUp(): void
    {
        $this->expectException(\Tortoise\Python\RuntimeError::class);
        $this->expectExceptionMessage('asked for its call');
        $this->lying->uncallable()();
    }

    public function testAnExceptionThatIsNamedLikeOneOfPhp(): void
    {
        try {
            $this->lying->raise_named_like_phps();
            self::fail('nothing was raised');
        } catch (\Tortoise\PythonException $error) {
            self::assertSame("not PHP's", $error->getMessage());
            self::assertNotInstanceOf(\Error::class, $error);
        }
    }

    public function testAnObjectThatChangesItsClassStaysTheSame(): void
    {
        self::assertSame($this->lying, $this->lying->become(1));
        self::assertSame(1, $this->lying->number());
        self::assertSame($this->lying, $this->lying->become(2));
        self::assertSame(2, $this->lying->number());
        self::assertInstanceOf(Lying::class, $this->lying);
    }

    public function testAnObjectThatForgetsItsAttributes(): void
    {
        $this->lying->x = 1;
        $this->lying->forget_all();
        self::assertFalse(isset($this->lying->x));
    }

    public function testACircleOfObjectsIsWalkedStepByStep(): void
    {
        $circle = $this->lying->circle();
        self::assertSame($circle, $circle->other->other->other);
    }

    public function testObjectsOfPythonItself(): void
    {
        $objects = $this->lying->builtins();
        self::assertNull($objects[1]);
        foreach (array_filter($objects, \is_object(...)) as $object) {
            self::assertInstanceOf(\Tortoise\PyObject::class, $object);
        }
        self::assertSame('Tortoise\Python\builtins\complex', $objects[9]::class);
        self::assertSame(1.0, $objects[9]->imag);
    }

    public function testAnObjectIsNotComparedHashedOrPrinted(): void
    {
        $object = $this->lying->unequal();
        self::assertSame($object, $this->lying->kept);
        self::assertTrue($object == $this->lying->kept);
        self::assertTrue((bool) $object);
        self::assertFalse(empty($this->lying->kept));
        self::assertNotSame('', print_r($object, true));
        unset($object);
        self::assertTrue(isset($this->lying->kept));
    }

    public function testAnAnonymousClassIsNamedAsPhpNamesIt(): void
    {
        $child = new class () extends \Tortoise\PyObject {
            public function __construct() {}
        };
        $this->expectException(\Tortoise\StaleObjectException::class);
        $this->expectExceptionMessage('this Tortoise\PyObject@anonymous was never made in Python');
        $child->circle();
    }
}
