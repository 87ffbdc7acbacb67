<?php

declare(strict_types=1);

namespace Tortoise\Tests\Iteration;

use Loop;
use Tortoise\ConversionException;
use Tortoise\Python\LookupError;
use Tortoise\Python\RuntimeError;
use Tortoise\Python\TypeError;
use Tortoise\StaleObjectException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** `foreach` over a Python object is Python's `for`: as lazy, as nested, as interrupted. */
final class ForeachTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        Loop::tell();
    }

    public function testItemsWithKeysFromZero(): void
    {
        $seen = [];
        foreach (new Loop(3) as $key => $item) {
            $seen[] = [$key, $item];
        }
        self::assertSame([[0, 0], [1, 1], [2, 2]], $seen);
    }

    public function testAGeneratorRunsStepByStep(): void
    {
        foreach (new Loop(3) as $item) {
            self::assertSame([$item], Loop::tell(), 'nothing is taken ahead');
        }
        self::assertSame(['finally'], Loop::tell());
    }

    public function testWhatIsBehindALoopThatWasLeftFindsFinallyDone(): void
    {
        foreach (new Loop(3) as $item) {
            break;
        }
        self::assertSame([0, 'finally'], Loop::tell());

        $leave = static function (): int {
            foreach (new Loop(3) as $item) {
                return $item;
            }
        };
        $leave();
        self::assertSame([0, 'finally'], Loop::tell());

        try {
            foreach (new Loop(3) as $item) {
                throw new \DomainException('mine');
            }
        } catch (\DomainException $exception) {
            self::assertSame('mine', $exception->getMessage());
        }
        self::assertSame([0, 'finally'], Loop::tell());
    }

    public function testNestedLoopsHaveIteratorsOfTheirOwn(): void
    {
        $loop = new Loop(3);
        $seen = '';
        foreach ($loop as $outer) {
            foreach ($loop as $inner) {
                $seen .= "{$outer}{$inner} ";
            }
        }
        self::assertSame('00 01 02 10 11 12 20 21 22 ', $seen);
    }

    public function testAnExceptionComesWhereItIsRaised(): void
    {
        $seen = [];
        try {
            foreach (new Loop(5, fail_at: 2) as $item) {
                $seen[] = $item;
            }
            self::fail('nothing was thrown');
        } catch (LookupError $error) {
            self::assertSame('no 2', $error->getMessage());
            self::assertStringEndsWith('Loop.py', $error->getFile());
        }
        self::assertSame([0, 1], $seen);
        self::assertSame([0, 1, 'finally'], Loop::tell());

        $this->expectException(LookupError::class);
        foreach (new Loop(5, fail_at: 0) as $item) {
            self::fail('there is no item');
        }
    }

    public function testWhatCannotBeIteratedOver(): void
    {
        $function = Loop::raw('len');
        $this->expectException(TypeError::class);
        $this->expectExceptionMessage('is not iterable');
        foreach ($function as $item) {
        }
    }

    public function testNoReferences(): void
    {
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage('foreach cannot give references');
        foreach (new Loop(3) as &$item) {
        }
    }

    /** @dataProvider sizes */
    public function testContainersOfAnySize(int $count): void
    {
        $expected = 0;
        foreach (Loop::made("range({$count})") as $key => $item) {
            self::assertSame($expected, $item);
            self::assertSame($expected, $key);
            $expected++;
        }
        self::assertSame($count, $expected);
    }

    /** @return iterable<array{int}> around every size of a chunk */
    public static function sizes(): iterable
    {
        foreach ([0, 1, 15, 16, 17, 47, 48, 49, 1000, 3055, 3056, 3057, 10_000] as $count) {
            yield [$count];
        }
    }

    /** @dataProvider containers */
    public function testContainers(string $expression, array $items): void
    {
        $seen = [];
        foreach (Loop::made($expression) as $item) {
            $seen[] = $item;
        }
        self::assertSame($items, $seen);
    }

    /** @return iterable<array{string, list<mixed>}> */
    public static function containers(): iterable
    {
        yield ['[]', []];
        yield ['[1, "a", None, [2], {"k": 1}]', [1, 'a', null, [2], ['k' => 1]]];
        yield ['[[i] for i in range(40)]', array_map(static fn(int $i): array => [$i], range(0, 39))];
        yield ['{"a": 1, "b": 2}', ['a', 'b']];
        yield ['{"a": 1, "b": 2}.items()', [['a', 1], ['b', 2]]];
        yield ['("x", "y")', ['x', 'y']];
        yield ['"añb"', ['a', 'ñ', 'b']];
        yield ['b"\x00\xff"', [0, 255]];
        yield ['[x / 4 for x in range(20)]', array_map(static fn(int $i): float => $i / 4, range(0, 19))];
        yield ['["x" * 100000, "y"]', [str_repeat('x', 100_000), 'y']];
        yield ['[{"id": 1}, {"id": 2}]', [['id' => 1], ['id' => 2]]];
    }

    public function testAnIteratorIsUsedUpAsInPython(): void
    {
        $iterator = (new Loop(4))->generator();
        foreach ($iterator as $item) {
            if ($item === 1) {
                break;
            }
        }
        $rest = [];
        foreach ($iterator as $key => $item) {
            $rest[$key] = $item;
        }
        self::assertSame([2, 3], $rest, 'the generator was left suspended, because PHP holds it');
        self::assertSame([], [...$iterator]);

        $numbers = Loop::raw('iter(list(range(100)))');
        foreach ($numbers as $item) {
            if ($item === 20) {
                break;
            }
        }
        self::assertSame(range(21, 99), [...$numbers], 'nobody sees that items were taken ahead');
        $shared = Loop::made('iter(list(range(100)))');
        foreach ($shared as $item) {
            break;
        }
        self::assertSame(range(1, 99), [...$shared->value]);

        $steps = Loop::raw('Steps(3)');
        foreach ($steps as $item) {
            break;
        }
        self::assertSame(1, $steps->calls);
        self::assertSame([1, 0], [...$steps]);
    }

    public function testAContainerThatChangesInTheLoop(): void
    {
        $dict = Loop::raw('Held({i: i for i in range(100)})');
        $this->expectException(RuntimeError::class);
        $this->expectExceptionMessage('changed size');
        foreach ($dict as $item) {
            $dict->add(1000 + $item);
        }
    }

    public function testGeneratorsOfPhp(): void
    {
        $all = static function (Loop $loop): \Generator {
            yield 'first';
            foreach ($loop as $item) {
                yield $item * 10;
            }
            yield from $loop;
        };
        $seen = [];
        foreach ($all(new Loop(2)) as $item) {
            $seen[] = $item;
        }
        self::assertSame(['first', 0, 10, 0, 1], $seen);

        $generator = $all(new Loop(2));
        $generator->next();
        Loop::tell();
        unset($generator);
        self::assertSame(['finally'], Loop::tell());
    }

    public function testSpread(): void
    {
        self::assertSame([0, 1, 2], [...new Loop(3)]);
        self::assertSame(3, max(...new Loop(4)));
    }

    public function testItemsLiveNoLongerThanTheLoopHoldsThem(): void
    {
        $before = \Tortoise\status()['objects'];
        foreach (Loop::made('[Held([i]) for i in range(1000)]') as $item) {
            self::assertInstanceOf('Loop\Held', $item);
        }
        unset($item);
        self::assertSame($before, \Tortoise\status()['objects']);
    }

    public function testPhpsOwnIterationComesFirst(): void
    {
        $own = new class (2) extends Loop implements \IteratorAggregate {
            public string $property = 'no item';

            public function getIterator(): \Iterator
            {
                return new \ArrayIterator(['mine']);
            }
        };
        self::assertSame(['mine'], [...$own]);
        $inherited = new class (2) extends Loop {
            public string $property = 'no item';
        };
        self::assertSame([0, 1], [...$inherited]);
    }

    public function testTheSessionEndsInTheMiddle(): void
    {
        $output = self::php(<<<'PHP'
            try {
                foreach (new Loop(10) as $item) {
                    echo $item, ' ';
                    if ($item === 1) {
                        exec('kill -9 ' . Tortoise\status()['session']);
                    }
                }
            } catch (Tortoise\ConnectionException $e) {
                echo get_class($e), ' ';
            }
            foreach (new Loop(2) as $item) {
                echo $item, ' ';
            }
            PHP)->cleanOutput();
        self::assertSame('0 1 Tortoise\ConnectionException 0 1 ', $output);
    }

    public function testARequestThatEndsWithOpenLoops(): void
    {
        $output = self::php(<<<'PHP'
            function items() { foreach (new Loop(10) as $item) { yield $item; } }
            $kept = items();
            echo $kept->current(), ' ';
            foreach (items() as $item) {
                foreach (new Loop(5) as $inner) {
                    echo 'end';
                    exit(0);
                }
            }
            PHP)->cleanOutput();
        self::assertSame('0 end', $output);
    }

    public function testAnObjectThatWasNeverMade(): void
    {
        $object = (new \ReflectionClass(Loop::class))->newInstanceWithoutConstructor();
        $this->expectException(StaleObjectException::class);
        foreach ($object as $item) {
        }
    }

    /** An open loop holds its object, and a generator its loop: a circle that PHP's garbage collection must see. */
    public function testCirclesThroughOpenLoopsAreCollected(): void
    {
        $output = self::php(<<<'PHP'
            class Circle extends Loop { public ?Generator $loop = null; }
            function items($object) { foreach ($object as $item) { yield $item; } }
            $references = [];
            for ($i = 0; $i < 5; $i++) {
                $circle = new Circle(3);
                $circle->loop = items($circle);
                $circle->loop->current();
                $references[] = WeakReference::create($circle);
            }
            unset($circle);
            $kept = $references[0]->get()->loop;
            gc_collect_cycles();
            $kept->next();
            echo count(array_filter($references, fn($reference) => $reference->get())), ' ', $kept->current();
            PHP)->cleanOutput();
        self::assertSame('1 1', $output);
    }

    /** Autoloaders and destructors are PHP code that can come across the iterator which they interrupt. */
    public function testAnIteratorThatIsAskedAgainWhileItMovesOn(): void
    {
        self::sandbox()->writeClass('Told/Late.py', 'class Told_Late: ...');
        self::sandbox()->writeClass('Told/First.py', <<<'PYTHON'
            class Told_First:
                def __iter__(self):
                    yield 1
                    from Told.Late import Told_Late
                    yield Told_Late()
                    yield 3
            PYTHON);
        $output = self::php(<<<'PHP'
            spl_autoload_register(function () {
                foreach (['valid', 'current', 'next', 'rewind'] as $method) {
                    try {
                        echo json_encode($GLOBALS['iterator']?->$method()), ' ';
                    } catch (Tortoise\AccessException $error) {
                        echo $method, ' ';
                    }
                }
            }, prepend: true);
            $iterator = null;
            $object = new Told_First();
            $iterator = $object->getIterator();
            foreach ($iterator as $item) {
                echo is_object($item) ? $item::class : $item, ' ';
            }
            PHP)->cleanOutput();
        self::assertStringContainsString(' 1 false null next rewind ', $output);
        self::assertStringEndsWith(' Told_Late 3 ', $output);
    }

    public function testItemsWhoseDestructorsLookAtTheIterator(): void
    {
        self::sandbox()->writeClass('Told/Box.py', <<<'PYTHON'
            class Told_Box:
                def fill(self, items):
                    self.items = items
                def __iter__(self):
                    return iter(self.items)
            PYTHON);
        $output = self::php(<<<'PHP'
            class Looking extends Loop
            {
                public function __destruct() { global $iterator; echo $iterator->valid() ? $iterator->current() : 'none', ' '; }
            }
            $things = [new Looking(1), new Looking(2), new Looking(3)];
            $box = new Told_Box();
            $box->fill($things);
            $iterator = $box->getIterator();
            $iterator->rewind();
            unset($things);
            $box->fill(['new']);
            $iterator->rewind();
            echo $iterator->current();
            PHP)->cleanOutput();
        self::assertSame('new new new new', $output);
    }
}
