<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Money;
use Shelf;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** PHP's interfaces are implemented by exactly the classes whose Python class has the protocol. */
final class InterfacesTest extends TestCase
{
    private const INTERFACES = [\Countable::class, \ArrayAccess::class, \IteratorAggregate::class, \Stringable::class, \JsonSerializable::class];

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{string, list<mixed>, string}> */
    public static function kinds(): iterable
    {
        // Countable, ArrayAccess, IteratorAggregate, Stringable, JsonSerializable.
        yield 'a mapping of its own make' => ['Shelf', [], 'CAIS-'];
        yield 'a list' => ['row', [], 'CAISJ'];
        yield 'a child of dict' => ['ordered', [], 'CAISJ'];
        yield 'a dict in a class' => ['userdict', [], 'CAISJ'];
        yield 'an abstract mapping' => ['Lookup', [], 'CAI-J'];
        yield 'an abstract sequence' => ['Steps', [1], 'CAI-J'];
        yield 'a deque' => ['deque', [], 'CAISJ'];
        yield 'a range' => ['range', [3], 'CAISJ'];
        yield 'a dataclass' => ['Point', [1], '---SJ'];
        yield 'a decimal' => ['decimal', ['1'], '---S-'];
        yield 'a large integer' => ['big', ['99999999999999999999'], '---SJ'];
        yield 'an enum of integers' => ['Level', [3], '---SJ'];
        yield 'items alone' => ['Recorder', [], '-A---'];
        yield 'a representation' => ['Shown', [], '---S-'];
        yield 'a text taken back' => ['Silent', [], '-----'];
        yield 'a length in a child' => ['Counted', [], 'C----'];
        yield 'nothing' => ['Plain', [], '-----'];
        yield 'a method of the name' => ['Counter', [], '-----'];
        // PHP cannot take an interface back.
        yield 'a length taken back' => ['Uncounted', [], 'CAIS-'];
    }

    /**
     * @dataProvider kinds
     * @param list<mixed> $arguments
     */
    public function testInstanceofTellsTheTruth(string $kind, array $arguments, string $expected): void
    {
        $object = Shelf::make($kind, ...$arguments);
        $letters = array_map(static fn(string $interface): string => $object instanceof $interface ? $interface[0] : '-', self::INTERFACES);
        self::assertSame($expected, implode('', $letters), $object::class);
        self::assertSame($expected[0] === 'C', is_countable($object));
        self::assertSame($expected[2] === 'I', is_iterable($object));
    }

    public function testCounting(): void
    {
        $shelf = new Shelf(a: 1, b: 1);
        self::assertCount(2, $shelf);
        self::assertSame([2, 2, 2], [\count($shelf), $shelf->count(), (new \ReflectionMethod($shelf, 'count'))->invoke($shelf)]);
        self::assertSame(7, \count(Shelf::make('Counted')));
        self::assertSame(3, \count(Shelf::make('row', 'x', 'y', 'z')));
        foreach (['Plain', 'Counter'] as $kind) {
            try {
                \count(Shelf::make($kind));
                self::fail('it was counted');
            } catch (\TypeError $error) {
                self::assertStringContainsString('must be of type Countable|array', $error->getMessage());
            }
        }
        $this->expectException(\Tortoise\Python\TypeError::class);
        \count(Shelf::make('Uncounted'));
    }

    public function testWithOtherArgumentsTheMethodIsPythons(): void
    {
        $shelf = new Shelf(a: 1, b: 1, c: 2);
        self::assertSame([2, 4, 3, 1], [$shelf->count(1), $shelf->count(1, twice: true), $shelf->count(), $shelf->count(value: 2)]);
        self::assertSame([2, 0], [Shelf::make('row', 1, 1, 2)->count(1), Shelf::make('row')->count(null)]);
        self::assertSame('counted x', Shelf::make('Counter')->count('x'));
        $both = Shelf::make('CountedCounter');
        self::assertSame([3, 3, 'counted x'], [\count($both), $both->count(), $both->count('x')]);
        $static = Shelf::make('StaticCounter');
        self::assertSame([4, 4, 'static x', 'static y'], [\count($static), $static->count(), $static->count('x'), $static::count('y')]);
        $fussy = Shelf::make('Fussy');
        self::assertSame(['item 1', 'item 1', 'own 1 2', 'pythons'], [$fussy[1], $fussy->offsetGet(1), $fussy->offsetGet(1, 2), $fussy->getiterator()]);
        $this->expectException(\Tortoise\Python\AttributeError::class);
        Shelf::make('Counted')->count(COUNT_RECURSIVE);
    }

    public function testIterationByHand(): void
    {
        $shelf = new Shelf(a: 1, b: 2);
        $iterator = $shelf->getIterator();
        self::assertInstanceOf(\Traversable::class, $iterator);
        self::assertSame(['a', 'b'], iterator_to_array($iterator));
        self::assertSame(['a', 'b'], iterator_to_array($shelf));
        self::assertSame([1, 2], iterator_to_array(new \IteratorIterator(Shelf::make('Fussy'))));
        $outer = $inner = [];
        foreach ($shelf as $key) {
            $outer[] = $key;
            foreach ($shelf->getIterator() as $again) {
                $inner[] = $key . $again;
            }
        }
        self::assertSame([['a', 'b'], ['aa', 'ab', 'ba', 'bb']], [$outer, $inner]);
        self::assertSame([1, 2, 3], [...Shelf::make('row', 1, 2, 3)]);
        $this->expectException(\Tortoise\Python\TypeError::class);
        $iterator = Money::make('Hostile', 'text')->getIterator();
        iterator_to_array($iterator);
    }

    public function testAPhpSubclassMayIterateInItsOwnWay(): void
    {
        $shelf = new class (a: 1, b: 2) extends Shelf {
            public function getIterator(): \Iterator
            {
                foreach (parent::getIterator() as $key) {
                    yield $key => $this[$key];
                }
            }
        };
        self::assertSame(['a' => 1, 'b' => 2], iterator_to_array($shelf));
        $plain = new class (a: 1) extends Shelf {};
        self::assertSame(['a'], iterator_to_array($plain));
        self::assertSame(['a'], iterator_to_array($plain->getIterator()));
    }

    public function testMethodsOfArrayAccessByHand(): void
    {
        $shelf = new Shelf();
        $shelf->offsetSet('a', [1]);
        self::assertSame([[1], true, false], [$shelf->offsetGet('a'), $shelf->offsetExists('a'), $shelf->offsetExists('b')]);
        $shelf->offsetUnset('a');
        self::assertSame(0, \count($shelf));
        $row = Shelf::make('row');
        $row->offsetSet(null, 'appended');
        self::assertSame('appended', $row[0]);
        $this->expectException(\ArgumentCountError::class);
        $shelf->offsetGet();
    }

    public function testExceptionsHaveInterfacesToo(): void
    {
        try {
            Shelf::fail();
            self::fail('it did not fail');
        } catch (\Tortoise\PythonException $error) {
            self::assertInstanceOf(\Countable::class, $error);
            self::assertInstanceOf(\ArrayAccess::class, $error);
            self::assertSame([2, 'first', 'second', true, false], [\count($error), $error[0], $error[1], isset($error[1]), isset($error[2])]);
            self::assertStringContainsString('first', (string) $error);
        }
    }

    public function testAPhpSubclassOverridesThem(): void
    {
        $shelf = new class (a: 1) extends Shelf {
            public function count(mixed ...$arguments): int
            {
                return parent::count() + 10;
            }

            public function __toString(): string
            {
                return 'php, ' . parent::__toString();
            }

            public function jsonSerialize(): mixed
            {
                return ['php' => true];
            }
        };
        self::assertSame([11, 'php, a shelf of 1', '{}'], [\count($shelf), (string) $shelf, json_encode(new \stdClass())]);
        self::assertSame('"php, a shelf of 1"', json_encode("{$shelf}"));
    }

    public function testReflectionShowsMethodsThatPhpAccepts(): void
    {
        $count = new \ReflectionMethod(Shelf::class, 'count');
        self::assertSame(['value', 'arguments'], array_map(static fn(\ReflectionParameter $parameter): string => $parameter->name, $count->getParameters()));
        self::assertSame(0, $count->getNumberOfRequiredParameters());
        self::assertSame("/**\n * Python's own method of the interface's name.\n *\n * @param mixed \$twice keyword-only: passed by name\n */", $count->getDocComment());
        self::assertSame(2, (new \ReflectionMethod(Shelf::class, 'offsetSet'))->getNumberOfRequiredParameters());
        self::assertSame('string', (string) (new \ReflectionMethod(Shelf::class, '__toString'))->getReturnType());
    }
}
