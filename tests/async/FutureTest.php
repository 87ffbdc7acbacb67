<?php

declare(strict_types=1);

namespace Tortoise\Tests\Async;

use Bench;
use Fiber;
use Tortoise\AsyncView;
use Tortoise\ConversionException;
use Tortoise\Future;
use Tortoise\Python\ValueError;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\async;
use function Tortoise\register;

/** Calls that are sent at once, and awaited later. */
final class FutureTest extends TestCase
{
    private Bench $bench;

    private AsyncView $view;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->bench = new Bench();
        $this->view = async($this->bench);
    }

    public function testTenCallsRunInOrderAndEachFutureHasItsOwnAnswer(): void
    {
        $futures = [];
        for ($number = 0; $number < 10; $number++) {
            $futures[$number] = $this->view->add($number, other: 100);
        }
        foreach (array_reverse($futures, true) as $number => $future) {
            self::assertSame(100 + $number, $future->await());
        }
        self::assertSame(range(0, 9), $this->bench->order());
    }

    public function testAPlainCallAmongThemGetsItsOwnAnswer(): void
    {
        $first = $this->view->echo('first');
        self::assertSame(7, $this->bench->add(3, 4));
        $second = $this->view->echo(['second']);
        self::assertSame(2, Bench::twice(1));
        self::assertSame('bench', $this->bench->title);
        self::assertSame([['second'], 'first'], [$second->await(), $first->await()]);
    }

    /** The first answer of its class: what is declared then is asked for among the calls in flight. */
    public function testAnObjectOfAClassThatPhpDoesNotKnowYet(): void
    {
        $result = self::evaluate(<<<'PHP'
            $view = Tortoise\async(new Bench());
            $item = $view->item('one');
            $sum = $view->add(1, 2);
            $again = $view->item('two');
            $name = $again->await()->name;
            $known = class_exists('Bench\Item', false);
            return [$item->await()->name, $sum->await(), $name, $known, Tortoise\type($item->await()::class)->alive];
            PHP);
        self::assertSame(['one', 3, 'two', true, 2], $result);
    }

    public function testStaticAndDynamicMethodsAndTheObjectItself(): void
    {
        self::assertSame(8, $this->view->twice(4)->await());
        self::assertSame('Bench', $this->view->name()->await());
        self::assertSame(15, ($this->view)(3, times: 5)->await());
        self::assertSame(1001, $this->view->dynamic(1)->await());
        $add = $this->view->add(...);
        self::assertSame(3, $add(1, 2)->await());
        self::assertSame(3, $this->view->ADD(1, 2)->await(), 'PHP knows methods in any case');
    }

    public function testAllKeepsKeysAndOrder(): void
    {
        $futures = ['b' => $this->view->add(1), 5 => $this->view->add(2), 'a' => $this->view->add(3)];
        self::assertSame(['b' => 1, 5 => 2, 'a' => 3], Future::all($futures));
        self::assertSame([1, 3], Future::all([$futures['b'], $futures['a']]));
        self::assertSame([], Future::all([]));
        $generate = function (): iterable {
            yield 'x' => $this->view->add(4);
            yield 'y' => $this->view->add(5);
        };
        self::assertSame(['x' => 4, 'y' => 5], Future::all($generate()));
        self::assertSame([1 => 1], Future::all([1 => $futures['b']]));
    }

    public function testTheFirstErrorOfAllIsThrownAndTheOthersCanStillBeAwaited(): void
    {
        $futures = [$this->view->add(1), $this->view->refuse('one'), $this->view->refuse('two'), $this->view->add(2)];
        try {
            Future::all($futures);
            self::fail('nothing was thrown');
        } catch (ValueError $error) {
            self::assertSame('one', $error->getMessage());
        }
        self::assertSame(2, $futures[3]->await());
        $this->expectExceptionMessage('two');
        $futures[2]->await();
    }

    public function testAllRefusesWhatIsNoFutureBeforeItWaits(): void
    {
        $future = $this->view->refuse('not awaited');
        try {
            Future::all([$future, 3]);
            self::fail('nothing was thrown');
        } catch (\TypeError $error) {
            self::assertStringContainsString('element 1 of $futures', $error->getMessage());
        }
        $this->expectException(ValueError::class);
        $future->await();
    }

    public function testAwaitThrowsTheSameExceptionEachTime(): void
    {
        $future = $this->view->refuse('no');
        $thrown = [];
        for ($time = 0; $time < 2; $time++) {
            try {
                $future->await();
            } catch (ValueError $error) {
                $thrown[] = $error;
            }
        }
        self::assertSame($thrown[0], $thrown[1]);
        self::assertSame('no', $thrown[0]->getMessage());
        self::assertStringEndsWith('Bench.py', $thrown[0]->getFile());
    }

    public function testAnArgumentThatCannotCrossThrowsAtTheCall(): void
    {
        $before = $this->view->add(1);
        try {
            $this->view->add(['deep' => \STDIN]);
            self::fail('nothing was thrown');
        } catch (ConversionException $error) {
            self::assertStringStartsWith('args[0]["deep"]: ', $error->getMessage());
        }
        self::assertSame([1, 2], [$before->await(), $this->view->add(2)->await()]);
    }

    public function testIsReadyNeverBlocks(): void
    {
        $slow = $this->view->sleep(0.2);
        $quick = $this->view->add(1);
        $began = hrtime(true);
        self::assertFalse($quick->isReady());
        self::assertFalse($slow->isReady());
        self::assertLessThan(100_000_000, hrtime(true) - $began);
        // Nothing else is to be seen of the answer than that it has come.
        while (!$quick->isReady()) {
            usleep(1000);
        }
        self::assertTrue($slow->isReady());
        self::assertSame(['slept', 1], [$slow->await(), $quick->await()]);
        self::assertTrue($quick->isReady());
    }

    public function testInFibers(): void
    {
        $log = [];
        $fiber = new Fiber(function (Future $future) use (&$log): void {
            $log[] = Fiber::suspend('sent');
            $log[] = $future->await();
        });
        self::assertSame('sent', $fiber->start($this->view->add(20, 1)));
        $log[] = $this->view->add(1)->await();
        $fiber->resume('resumed');
        self::assertSame([1, 'resumed', 21], $log);
    }

    /** @dataProvider wrongUses */
    public function testWrongUses(string $expected, callable $use): void
    {
        try {
            $use($this->view, $this->view->add(1));
            self::fail('nothing was thrown');
        } catch (\Throwable $error) {
            self::assertStringContainsString($expected, $error::class . ': ' . $error->getMessage());
        }
        self::assertSame(2, $this->view->add(2)->await(), 'the session is as before');
    }

    /** @return iterable<string, array{string, callable}> */
    public static function wrongUses(): iterable
    {
        $attribute = 'AccessException: the attribute "title" is not for the view';
        yield 'reading' => [$attribute, static fn($view) => $view->title];
        yield 'writing' => [$attribute, static fn($view) => $view->title = 1];
        yield 'asking' => [$attribute, static fn($view) => isset($view->title)];
        yield 'deleting' => [$attribute, static function ($view): void {
            unset($view->title);
        }];
        yield 'its own property' => ['AccessException: the attribute "object"', static fn($view) => $view->object];
        yield 'a view made by hand' => ['private', static fn() => new AsyncView()];
        yield 'a future made by hand' => ['private', static fn() => new Future()];
        yield 'a future made by reflection' => ['final', static fn() => (new \ReflectionClass(Future::class))->newInstanceWithoutConstructor()];
        yield 'a view made by reflection' => ['TypeError', static fn() => (new \ReflectionClass(AsyncView::class))->newInstanceWithoutConstructor()->x()];
        yield 'a copy' => ['uncloneable', static fn($view, $future) => clone $future];
        yield 'a serialized future' => ['not allowed', static fn($view, $future) => serialize($future)];
        yield 'a serialized view' => ['not allowed', static fn($view) => serialize($view)];
        yield 'an unserialized future' => ['not allowed', static fn() => unserialize('O:15:"Tortoise\Future":0:{}')];
        yield 'a view of a PHP object' => ['TypeError', static fn() => async(new \stdClass())];
        yield 'a view of nothing' => ['TypeError', static fn() => async(null)];
        yield 'a name that is private' => ['AccessException', static fn($view) => $view->_private()->await()];
        yield 'a name that is too long' => ['AccessException', static fn($view) => $view->{str_repeat('x', 2000)}()];
        yield 'a name that is no text' => ['UTF-8', static fn($view) => $view->{"\xff"}()];
        yield 'no such method' => ['AttributeError', static fn($view) => $view->nothing()->await()];
        yield 'a method of PHP' => ['AccessException: mine() is a method in PHP', static function (): void {
            async(new class () extends Bench {
                public function mine(): void {}
            })->mine();
        }];
    }
}
