<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Making_Failing;
use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** `new` makes a Python object, and what goes wrong in making it goes wrong at `new`. */
final class ConstructionTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testNewMakesAnObjectOfThePythonClass(): void
    {
        $vessel = new Vessel('beagle', extra: 1);
        self::assertSame(Vessel::class, $vessel::class);
        self::assertInstanceOf(\Tortoise\PyObject::class, $vessel);
        self::assertInstanceOf(\Tortoise\Remote::class, $vessel);
        self::assertSame(['beagle', 1], [$vessel->name, $vessel->extra]);
        self::assertSame('Vessel', $vessel->type_name($vessel));
    }

    public function testEveryNewMakesAnotherObject(): void
    {
        $one = new Vessel();
        $other = new Vessel();
        self::assertNotSame($one, $other);
        self::assertFalse($one->is_same($one, $other));
    }

    public function testAnErrorOfTheConstructorSurfacesAtNew(): void
    {
        $line = 0;
        try {
            $line = __LINE__ + 1;
            new Vessel('refused');
            self::fail('a vessel was made');
        } catch (\Tortoise\Python\ValueError $error) {
            self::assertSame('no such vessel', $error->getMessage());
            self::assertSame(__DIR__ . '/Vessel.py', $error->getFile());
            $caller = array_filter($error->getTrace(), static fn(array $frame): bool => ($frame['file'] ?? '') === __FILE__);
            self::assertSame($line, reset($caller)['line'] ?? null, 'the trace shows the line of new');
        }
    }

    public function testNothingStaysOfAnObjectThatWasNotMade(): void
    {
        $before = \Tortoise\status()['objects'];
        $object = null;
        foreach (['value' => \Tortoise\Python\ValueError::class, 'own' => \Making_FailingError::class, 'exit' => \Tortoise\Python\SystemExit::class] as $kind => $class) {
            try {
                $object = new Making_Failing($kind);
            } catch (\Tortoise\PythonException $error) {
                self::assertInstanceOf($class, $error);
            }
            unset($error);
        }
        self::assertNull($object);
        self::assertSame($before, \Tortoise\status()['objects']);
        self::assertSame('fine', (new Making_Failing('fine'))->kind);
    }

    public function testTheConstructorRunsOnce(): void
    {
        $before = Making_Failing::count();
        $object = new Making_Failing('fine');
        self::assertSame($before + 1, Making_Failing::count());
        try {
            $object->__construct('again');
            self::fail('the object was constructed twice');
        } catch (\Tortoise\AccessException $error) {
            self::assertStringContainsString('Making_Failing is constructed already', $error->getMessage());
            self::assertSame(__FILE__, $error->getFile());
        }
        self::assertSame($before + 1, Making_Failing::count());
        self::assertSame('fine', $object->kind);
    }

    public function testAnAbstractClassIsNotMade(): void
    {
        $this->expectException(\Throwable::class);
        $this->expectExceptionMessageMatches('/abstract/');
        new \Making_Abstract();
    }

    public function testAClassThatGivesTheSameObjectAgain(): void
    {
        $first = new \Making_Single();
        $second = new \Making_Single();
        self::assertSame(2, $first->times, 'both stand for the one Python object');
        self::assertSame(2, $second->times);
        $first->mark = 'x';
        self::assertSame('x', $second->mark);
        self::assertTrue((new Vessel())->is_same($first, $second));
        self::assertTrue($first == $second, 'they are the same Python object');
        $vessel = new Vessel();
        $vessel->keep($second);
        self::assertSame($first, $vessel->kept, 'the first is the one that is found');
        $third = new \Making_Single();
        unset($first);
        self::assertTrue($vessel->kept === $second || $vessel->kept === $third, 'then one of those that are left');
        unset($third);
        self::assertSame($second, $vessel->kept);
        self::assertSame('x', $second->mark);
        unset($second);
        self::assertSame('x', $vessel->kept->mark);
    }

    public function testAClassThatGivesAnObjectOfAnotherClass(): void
    {
        $object = new \Making_Other(5);
        self::assertSame(5, $object->value);
        self::assertSame('SimpleNamespace', (new Vessel())->type_name($object));
    }

    public function testAMetaclassDecidesWhatTheConstructorTakes(): void
    {
        $object = new \Making_Meta(3, colour: 'blue');
        self::assertSame([3, 'blue'], [$object->size, $object->colour]);
        $this->expectException(\ArgumentCountError::class);
        $this->expectExceptionMessage('$size');
        new \Making_Meta();
    }

    public function testADataclass(): void
    {
        $record = new \Making_Record(1, tags: ['a']);
        self::assertSame([1, 'n', ['a']], [$record->number, $record->name, $record->tags]);
        self::assertSame([], (new \Making_Record(1))->tags);
        self::assertSame("2 m ['t']", (new \Making_Heir(2, 'm', ['t']))->describe());
        $this->expectException(\ArgumentCountError::class);
        $this->expectExceptionMessage('$number');
        new \Making_Heir();
    }

    public function testPyObjectItselfIsNotMade(): void
    {
        $this->expectException(\Tortoise\Exception::class);
        $this->expectExceptionMessage('Tortoise\PyObject is not a Python class');
        new \Tortoise\PyObject();
    }

    public function testAPhpClassMayExtendAPythonClass(): void
    {
        $child = new class ('kid') extends Vessel {
            public int $mine = 1;

            public function upperTwice(): string
            {
                return $this->upper . $this->upper;
            }

            public function shown($name)
            {
                return 'php:' . parent::shown($name);
            }
        };
        $child->mine++;
        self::assertSame(2, $child->mine, 'a property that PHP declares is PHP\'s');
        self::assertTrue($child->has('mine'), 'and Python reads it there');
        self::assertSame('KIDKID', $child->upperTwice());
        self::assertSame("php:'kid'", $child->shown('name'));
        self::assertSame($child, $child->myself());
    }

    public function testAPhpClassNeedNotCallItsParent(): void
    {
        $child = new class () extends Vessel {
            public function __construct() {}
        };
        self::assertSame($child, $child->myself(), 'only __init__ has not run');
        self::assertFalse(isset($child->name));
        $this->expectException(\Tortoise\Python\AttributeError::class);
        $child->name;
    }

    public function testReflectionMakesTheSameObjects(): void
    {
        $class = new \ReflectionClass(Vessel::class);
        self::assertSame('r', $class->newInstance('r')->name);
        self::assertSame('r', $class->newInstanceArgs(['name' => 'r'])->name);
        $unmade = $class->newInstanceWithoutConstructor();
        $unmade->__construct('late');
        self::assertSame('late', $unmade->name);
    }
}
