<?php

declare(strict_types=1);

namespace Tortoise\Tests\Callbacks;

use Caller;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;
use function Tortoise\status;

require_once __DIR__ . '/Specimens.php';

/** PHP's objects in Python: by reference, with their public surface. */
final class ObjectsTest extends TestCase
{
    private Caller $caller;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->caller = new Caller();
    }

    public function testTheSameObjectTwiceIsTheSameAndComesBackAsItself(): void
    {
        $person = new Person('Ada');
        self::assertTrue($this->caller->is_same($person, $person));
        self::assertFalse($this->caller->is_same($person, new Person('Ada')));
        self::assertSame($person, $this->caller->echo($person));
        self::assertSame([$person, ['x' => $person]], $this->caller->echo([$person, ['x' => $person]]));
        $closure = static fn (): int => 1;
        self::assertSame($closure, $this->caller->echo($closure));
    }

    public function testMethods(): void
    {
        $person = new Person('Ada');
        self::assertSame('Hello, Ada', $this->caller->invoke($person, 'greet'));
        self::assertSame('Hi, Ada and you and key=me', $this->caller->invoke($person, 'greet', 'Hi', 'you', key: 'me'));
        self::assertSame('human', $this->caller->invoke($person, 'species'));
        self::assertSame(5, $this->caller->invoke($person, 'bump', 4));
        self::assertSame($person, $this->caller->invoke($person, 'me'));
    }

    public function testProperties(): void
    {
        $person = new Person('Ada');
        self::assertSame('Ada', $this->caller->get($person, 'name'));
        self::assertNull($this->caller->get($person, 'title'));
        $this->caller->set($person, 'name', 'Grace');
        self::assertSame('Grace', $person->name);
        self::assertTrue($this->caller->has($person, 'name'));
        self::assertFalse($this->caller->has($person, 'nothing'));
        $object = (object) ['a' => 1, 'b' => 2];
        $this->caller->delete($object, 'a');
        self::assertEquals((object) ['b' => 2], $object);
        $this->caller->set($object, 'c', [1]);
        self::assertSame([1], $object->c);
        self::assertSame('AttributeError', $this->caller->why_not('get', $person, 'nothing')[0]);
    }

    /** @return iterable<string, array{string, list<mixed>, string}> */
    public static function hidden(): iterable
    {
        yield 'a private property' => ['get', ['secret'], 'secret'];
        yield 'a protected property' => ['get', ['mood'], 'mood'];
        yield 'a private property that is written' => ['set', ['secret', 'x'], 'secret'];
        yield 'a protected property that is deleted' => ['delete', ['mood'], 'mood'];
        yield 'a private method' => ['invoke', ['whisper'], 'whisper'];
        yield 'a protected method' => ['invoke', ['sulk'], 'sulk'];
    }

    /**
     * @dataProvider hidden
     *
     * @param list<mixed> $arguments
     */
    public function testWhatIsNotPublicIsRefusedByName(string $what, array $arguments, string $name): void
    {
        $person = new Person('Ada');
        [$class, $message] = $this->caller->why_not($what, $person, ...$arguments);
        self::assertSame('AttributeError', $class);
        self::assertStringContainsString($name, $message);
        // Also where PHP stands in a method of that very class.
        [$class, $message] = $person->askPython($this->callerOf($what), 'run', ...$arguments);
        self::assertSame('AttributeError', $class);
        self::assertSame('hiddencalm', $person->touchAll());
    }

    private function callerOf(string $what): object
    {
        return new class ($this->caller, $what) {
            public function __construct(private Caller $caller, private string $what)
            {
            }

            public function run(object $target, mixed ...$arguments): mixed
            {
                return $this->caller->why_not($this->what, $target, ...$arguments);
            }
        };
    }

    public function testAMethodOfAClassAsksPythonForItsOwnPrivateProperty(): void
    {
        $caller = $this->caller;
        $ask = fn (): array => $caller->why_not('get', $this, 'secret');
        [$class] = \Closure::bind($ask, new Person('Ada'), Person::class)();
        self::assertSame('AttributeError', $class);
    }

    public function testMagic(): void
    {
        $magic = new Magic();
        self::assertSame(1, $this->caller->get($magic, 'known'));
        $this->caller->set($magic, 'more', 'x');
        self::assertSame('x', $magic->data['more']);
        $this->caller->delete($magic, 'more');
        self::assertArrayNotHasKey('more', $magic->data);
        self::assertSame('magic text', $this->caller->text($magic));
        self::assertSame(14, $this->caller->call($magic, 7));
        self::assertTrue($this->caller->is_callable($magic));
        self::assertSame(['any', [1, 'two' => 2]], $this->caller->invoke(new MagicCalls(), 'any', 1, two: 2));
    }

    public function testProtocols(): void
    {
        $shelf = new Shelf(['a' => 1, 'b' => [2]]);
        self::assertSame(2, $this->caller->length($shelf));
        self::assertSame([2], $this->caller->item($shelf, 'b'));
        $this->caller->set_item($shelf, 'c', 3);
        self::assertSame(3, $shelf->items['c']);
        self::assertTrue($this->caller->has_item($shelf, 'a'));
        self::assertFalse($this->caller->has_item($shelf, 'z'));
        $this->caller->delete_item($shelf, 'a');
        self::assertSame(['b' => [2], 'c' => 3], $shelf->items);
        self::assertSame([[2], 3], $this->caller->elements($shelf));
        self::assertSame([['b', [2]], ['c', 3]], $this->caller->pairs($shelf));
        self::assertSame([1, 2], $this->caller->elements(new \ArrayIterator([1, 2])));
        self::assertSame([1, 2], $this->caller->elements(new \ArrayObject([1, 2])));
        self::assertSame(2, $this->caller->length(new \ArrayObject([1, 2])));
        self::assertContains('Shelf', array_map(static fn (string $name): string => basename(strtr($name, '\\', '/')), $this->caller->class_names($shelf)));
    }

    public function testWhatAnObjectCannotDoIsATypeError(): void
    {
        foreach (['length', 'elements'] as $what) {
            self::assertSame('TypeError', $this->caller->why_not($what, new Person('Ada'))[0], $what);
        }
        self::assertSame('TypeError', $this->caller->why_not('item', new Person('Ada'), 'a')[0]);
        self::assertSame('TypeError', $this->caller->why_not('call', new Person('Ada'))[0]);
    }

    public function testGeneratorsAreReadLazily(): void
    {
        $made = [];
        $generator = (static function () use (&$made): \Generator {
            try {
                foreach (range(1, 1_000_000) as $number) {
                    $made[] = $number;
                    yield $number;
                }
            } finally {
                $made[] = 'closed';
            }
        })();
        self::assertSame([1, 2, 3], $this->caller->first($generator, 3));
        self::assertSame([1, 2, 3], array_slice($made, 0, 3));
        self::assertCount(3, $made);
        unset($generator);
        $this->caller->echo(null);
        self::assertSame('closed', end($made));
    }

    public function testAnEndlessGeneratorCanBeReadOnWhereItStands(): void
    {
        $generator = (static function (): \Generator {
            yield 'a' => 1;
            yield 'b' => 2;
        })();
        self::assertSame([['a', 1], ['b', 2]], $this->caller->pairs($generator));
        self::assertFalse($generator->valid());
    }

    public function testPythonKeepsAnObjectAliveAndLetsItGo(): void
    {
        Dying::$deaths = [];
        $this->caller->keep(new Dying('kept'));
        self::assertSame([], Dying::$deaths);
        $this->caller->forget();
        $this->caller->echo(1);
        self::assertSame(['kept'], Dying::$deaths);
    }

    public function testAnObjectThatIsOnlyPassedDiesAtOnce(): void
    {
        Dying::$deaths = [];
        $this->caller->length([new Dying('passed')]);
        $this->caller->echo(1);
        self::assertSame(['passed'], Dying::$deaths);
    }

    public function testTheTableOfObjectsDoesNotGrow(): void
    {
        $this->caller->forget();
        $this->caller->echo(1);
        $before = status()['exports'];
        for ($round = 0; $round < 100; $round++) {
            $this->caller->length([new Person('x'), static fn (): int => 1]);
        }
        $this->caller->echo(1);
        self::assertLessThanOrEqual($before + 2, status()['exports']);
    }

    public function testAnErrorOfTheWritingLeavesNothingBehind(): void
    {
        $this->caller->echo(1);
        $before = status()['exports'];
        for ($round = 0; $round < 10; $round++) {
            try {
                $this->caller->echo([new Person('x'), \STDIN]);
                self::fail('a resource went to Python');
            } catch (\Tortoise\ConversionException) {
            }
        }
        $this->caller->echo(1);
        self::assertSame($before, status()['exports']);
        self::assertSame('x', $this->caller->get(new Person('x'), 'name'));
    }

    public function testAResultThatCannotCrossIsAnErrorInPython(): void
    {
        [$class, $message] = $this->caller->why(static fn () => \STDIN);
        self::assertSame('TypeError', $class);
        self::assertStringContainsString('resource', $message);
    }
}
