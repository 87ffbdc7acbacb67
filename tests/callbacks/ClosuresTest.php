<?php

declare(strict_types=1);

namespace Tortoise\Tests\Callbacks;

use Caller;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\async;
use function Tortoise\register;

require_once __DIR__ . '/Specimens.php';

/** Python calls PHP's closures, from every place in which PHP waits for it. */
final class ClosuresTest extends TestCase
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

    public function testAClosureIsCalledWithArgumentsAndNames(): void
    {
        $sum = static fn (int $one, int $other = 10, int ...$more): array => [$one + $other, $more];
        self::assertSame([11, []], $this->caller->call($sum, 1));
        self::assertSame([3, [4, 5]], $this->caller->call($sum, 1, 2, 4, 5));
        self::assertSame([8, []], $this->caller->call($sum, other: 7, one: 1));
        self::assertSame([3, ['named' => 9]], $this->caller->call($sum, 1, 2, named: 9));
    }

    public function testValuesCrossBothWays(): void
    {
        $echo = static fn (mixed $value): mixed => $value;
        $bulk = str_repeat('ü', 100_000);
        foreach ([null, true, 3, 1.5, 'text', "\xff", [1, 2], ['a' => ['b' => null]], range(1, 50), $bulk, [$bulk, 1]] as $value) {
            self::assertSame($value, $this->caller->call($echo, $value));
        }
        self::assertSame($this->caller, $this->caller->call($echo, $this->caller));
    }

    public function testFirstClassCallables(): void
    {
        self::assertSame(['A', 'B'], $this->caller->mapped(strtoupper(...), ['a', 'b']));
        $person = new Person('Ada');
        self::assertSame('Hi, Ada', $this->caller->call($person->greet(...), 'Hi'));
        self::assertSame('human', $this->caller->call(Person::species(...)));
        self::assertTrue($this->caller->is_callable(strlen(...)));
        self::assertFalse($this->caller->is_callable($person));
    }

    public function testSortedByAClosure(): void
    {
        $rows = [['n' => 3], ['n' => 1], ['n' => 2]];
        self::assertSame([['n' => 1], ['n' => 2], ['n' => 3]], $this->caller->sort($rows, static fn (array $row): int => $row['n']));
    }

    public function testClosuresChangeWhatTheyHoldByReference(): void
    {
        $seen = [];
        $this->caller->mapped(static function (int $number) use (&$seen): void {
            $seen[] = $number;
        }, [1, 2, 3]);
        self::assertSame([1, 2, 3], $seen);
    }

    public function testNoTextAndNoArrayIsACallable(): void
    {
        self::assertFalse($this->caller->is_callable('strlen'));
        self::assertSame('strlen', $this->caller->echo('strlen'));
        self::assertSame(['Person', 'species'], $this->caller->echo(['Person', 'species']));
    }

    public function testFunctionsByName(): void
    {
        self::assertSame(8, $this->caller->function('strlen', 'tortoise'));
        self::assertSame('human', $this->caller->function(Person::class . '::species'));
        foreach (['no_such_function', 'self::x', Person::class . '::whisper', Person::class . '::greet'] as $name) {
            self::assertSame('AttributeError', $this->caller->why_not('function', $name)[0], $name);
        }
    }

    /** PHP → Python → PHP → Python …, each inside of the last. */
    public function testCallbacksCallPythonWhichCallsBack(): void
    {
        $nest = function (Caller $caller, int $depth) use (&$nest): int {
            return 1 + $caller->nest($depth, $nest);
        };
        self::assertSame(50, $this->caller->nest(50, $nest));
        self::assertSame('still there', $this->caller->echo('still there'));
    }

    public function testThousandLevelsAreAnErrorOrAResult(): void
    {
        $nest = function (Caller $caller, int $depth) use (&$nest): int {
            return 1 + $caller->nest($depth, $nest);
        };
        try {
            self::assertSame(1000, $this->caller->nest(1000, $nest));
        } catch (\Throwable $error) {
            self::assertMatchesRegularExpression('/depth|deep|recursion/i', $error->getMessage());
        }
        self::assertSame('still there', $this->caller->echo('still there'));
    }

    public function testThreadsOfPythonTakeTurns(): void
    {
        $squares = $this->caller->in_threads(static fn (int $number): int => $number ** 2, range(0, 40));
        self::assertSame(array_map(static fn (int $number): int => $number ** 2, range(0, 40)), $squares);
    }

    public function testThreadsOfPythonWhoseCallbacksCallPython(): void
    {
        $values = $this->caller->in_threads(fn (int $number): array => $this->caller->echo([$number, "n{$number}"]), range(0, 20));
        self::assertSame(array_map(static fn (int $number): array => [$number, "n{$number}"], range(0, 20)), $values);
    }

    public function testInAForeachOverAGeneratorOfPython(): void
    {
        $seen = [];
        foreach ($this->caller->generated(fn (int $number): int => $this->caller->echo($number * 10), 4) as $value) {
            $seen[] = [$value, $this->caller->echo('between')];
        }
        self::assertSame([[0, 'between'], [10, 'between'], [20, 'between'], [30, 'between']], $seen);
    }

    public function testInTheFinallyOfAGeneratorThatIsLeft(): void
    {
        $seen = [];
        $tell = static function (string $what) use (&$seen): void {
            $seen[] = $what;
        };
        try {
            foreach ($this->caller->finally_calls($tell) as $number) {
                throw new \LogicException('left');
            }
        } catch (\LogicException) {
            $seen[] = 'caught';
        }
        self::assertSame(['finally', 'caught'], $seen);
    }

    public function testInTheReadingOfAnAttribute(): void
    {
        $this->caller->keep(static fn (string $name): string => "asked for {$name}");
        self::assertSame('asked for asks_this', $this->caller->asks_this);
    }

    public function testInCallsThatAreNotWaitedFor(): void
    {
        $view = async($this->caller);
        $futures = [];
        foreach (range(0, 5) as $number) {
            $futures[] = $view->call(fn (int $n): int => $this->caller->echo($n) + 1, $number);
        }
        self::assertSame([1, 2, 3, 4, 5, 6], \Tortoise\Future::all($futures));
        $last = $view->call(static fn (): string => 'asked while another is waited for');
        self::assertSame('plain', $this->caller->echo('plain'));
        self::assertSame('asked while another is waited for', $last->await());
    }

    public function testCallsThatACallbackSendsAndDoesNotWaitForAreAnsweredBeforeIt(): void
    {
        $futures = [];
        $answer = $this->caller->call(function () use (&$futures): string {
            $view = async($this->caller);
            $futures[] = $view->echo('one');
            $futures[] = $view->call(static fn (): string => 'two');

            return 'done';
        });
        self::assertSame('done', $answer);
        self::assertSame(['one', 'two'], \Tortoise\Future::all($futures));
    }

    public function testAFutureFromOutsideCannotBeAwaitedInACallbackBeforeIt(): void
    {
        $view = async($this->caller);
        $later = null;
        $first = $view->call(static function () use (&$later): string {
            try {
                return $later->await();
            } catch (\Tortoise\AccessException $error) {
                return $error->getMessage();
            }
        });
        $later = $view->echo('later');
        self::assertStringContainsString('cannot be awaited here', $first->await());
        self::assertSame('later', $later->await());
    }

    public function testIsReadyRunsACallbackThatComes(): void
    {
        $called = false;
        $future = async($this->caller)->call(static function () use (&$called): int {
            $called = true;

            return 7;
        });
        while (!$future->isReady()) {
            usleep(100);
        }
        self::assertTrue($called);
        self::assertSame(7, $future->await());
    }
}
