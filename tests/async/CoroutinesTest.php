<?php

declare(strict_types=1);

namespace Tortoise\Tests\Async;

use Fiber;
use Tortoise\AggregateException;
use Tortoise\AsyncView;
use Tortoise\Future;
use Tortoise\Python\RuntimeError;
use Tortoise\Python\ValueError;
use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;
use Waits;

use function Tortoise\async;
use function Tortoise\register;
use function Tortoise\with;

/** Coroutines: awaited by the session, side by side where PHP does not wait. */
final class CoroutinesTest extends TestCase
{
    private const CANCELLED = 'asyncio.exceptions.CancelledError';

    private Waits $waits;

    private AsyncView $view;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->waits = new Waits();
        $this->view = async($this->waits);
    }

    public function testACallGivesWhatTheCoroutineGives(): void
    {
        self::assertSame(['a', 1], $this->waits->give(['a', 1]));
        self::assertSame('given', $this->waits->awaitable());
        self::assertSame(5, ($this->waits)(5));
        self::assertSame('Waits', Waits::of_class());
        self::assertSame('one', $this->waits->item('one')->name);
        self::assertSame('own', $this->waits->own_loop('own'), 'asyncio.run() in a plain method');
        $this->expectExceptionMessage('no');
        $this->expectException(ValueError::class);
        $this->waits->refuse('no');
    }

    /** What the issue demands: ten of a second each take a second. */
    public function testTenCoroutinesOfASecondTakeASecond(): void
    {
        $this->waits->give('the loop has begun');
        $began = hrtime(true);
        $futures = [];
        for ($number = 0; $number < 10; $number++) {
            $futures[] = $this->view->sleep(1.0, $number);
        }
        self::assertSame(range(0, 9), Future::all($futures));
        self::assertLessThan(1.2e9, hrtime(true) - $began);
    }

    public function testAnswersComeInTheOrderInWhichCoroutinesAreDone(): void
    {
        $first = $this->view->wait('a', 'first');
        $second = $this->view->wait('b', 'second');
        $plain = $this->view->plain('plain');
        self::assertSame('plain', $plain->await());
        $this->waits->open('b');
        self::assertSame('second', $second->await());
        self::assertFalse($first->isReady());
        self::assertSame('between', $this->waits->plain('between'));
        $this->waits->open('a');
        self::assertSame('first', $first->await());
        self::assertSame(['plain', 'b', 'between', 'a'], $this->waits->seen);
    }

    public function testPlainMethodsRunInTheOrderSentAmongCoroutines(): void
    {
        $futures = [];
        for ($number = 0; $number < 200; $number++) {
            $futures[] = $number % 3 === 0 ? $this->view->give($number) : $this->view->plain($number);
        }
        self::assertSame(range(0, 199), Future::all($futures));
        $plain = array_values(array_filter(range(0, 199), static fn (int $number): bool => $number % 3 !== 0));
        self::assertSame($plain, $this->waits->seen);
    }

    public function testMoreThanFitTheConnectionRunAtOnce(): void
    {
        $futures = [];
        for ($number = 0; $number < 1000; $number++) {
            $futures[] = $this->view->wait('all', $number);
        }
        $this->waits->open('all');
        self::assertSame(range(0, 999), Future::all($futures));
    }

    /** @dataProvider channels */
    public function testLongRequestsWaitForNoCoroutine(int $sharedMemory): void
    {
        $result = self::evaluate(<<<'PHP'
            $waits = new Waits();
            $view = Tortoise\async($waits);
            $waiting = [$view->wait('a', 'a'), $view->text(3 << 20, 'a')];
            $long = str_repeat('y', 3 << 20);
            $texts = [$view->give($long), $view->text(4 << 20), $view->give($long), $view->plain($long)];
            $lengths = [strlen($waits->give($long)), strlen($waits->plain($long))];
            try {
                $view->give($long, new DateTimeZone('UTC'), fopen('php://memory', 'r'));
            } catch (Tortoise\ConversionException) {
                $lengths[] = 'refused';
            }
            foreach (Tortoise\Future::all($texts) as $text) {
                $lengths[] = strlen($text);
            }
            $waits->open('a');
            return [...$lengths, $waiting[0]->await(), strlen($waiting[1]->await())];
            PHP, ['tortoise.shared_memory' => $sharedMemory, 'tortoise.timeout' => 20]);
        $long = 3 << 20;
        self::assertSame([$long, $long, 'refused', $long, 4 << 20, $long, $long, 'a', $long], $result);
    }

    public function testErrorsComeAtAwait(): void
    {
        $wrong = $this->view->refuse('later');
        self::assertSame(1, $this->waits->plain(1));
        $errors = [];
        for ($time = 0; $time < 2; $time++) {
            try {
                $wrong->await();
            } catch (ValueError $error) {
                $errors[] = $error;
            }
        }
        self::assertCount(2, $errors);
        self::assertSame($errors[0], $errors[1]);
        self::assertSame('later', $errors[0]->getMessage());
        self::assertStringEndsWith('Waits.py', $errors[0]->getFile());
        self::assertStringNotContainsString('coroutines.py', $errors[0]->getPythonTraceback());
    }

    public function testObjectsAndLargeValuesOutOfOrder(): void
    {
        $large = $this->view->text(3 << 20, 'go');
        $items = [$this->view->item('a'), $this->view->item('b')];
        $larger = $this->view->text(5 << 20);
        self::assertSame('b', $items[1]->await()->name);
        $this->waits->open('go');
        self::assertSame([3 << 20, 5 << 20], array_map('strlen', Future::all([$large, $larger])));
        self::assertSame('a', $items[0]->await()->name);
        $echoed = array_map(fn (int $size): Future => $this->view->give(str_repeat('y', $size)), [90_000, 1 << 20, 70_000]);
        self::assertSame([90_000, 1 << 20, 70_000], array_map('strlen', Future::all($echoed)));
    }

    public function testARunningCoroutineIsCancelled(): void
    {
        $future = $this->view->wait('never');
        self::assertFalse($future->isCancelled());
        $this->waits->give('it has begun');
        $future->cancel();
        self::assertTrue($future->isCancelled());
        try {
            $future->await();
            self::fail('nothing was thrown');
        } catch (\Tortoise\PythonException $error) {
            self::assertSame(self::CANCELLED, $error->getPythonClass());
        }
        self::assertTrue($future->isCancelled());
        self::assertSame(['never'], $this->waits->seen, 'its finally ran');
    }

    public function testACoroutineMayRefuseToBeCancelledAndWhatIsDoneCannotBe(): void
    {
        $future = $this->view->stubborn('never');
        $this->waits->give('it has begun');
        $future->cancel();
        self::assertSame('not cancelled', $future->await());
        self::assertFalse($future->isCancelled());
        $done = $this->view->plain(1);
        $done->await();
        $done->cancel();
        self::assertFalse($done->isCancelled());
        self::assertSame(1, $done->await());
    }

    public function testAMethodThatHasNotBegunIsNotRun(): void
    {
        $pipe = self::sandbox()->path('pipe');
        posix_mkfifo($pipe, 0o600);
        $blocking = $this->view->read($pipe);
        $cancelled = $this->view->plain('cancelled');
        $last = $this->view->plain('last');
        $cancelled->cancel();
        file_put_contents($pipe, 'read');
        self::assertSame(['read', 'last'], [$blocking->await(), $last->await()]);
        self::assertSame(['last'], $this->waits->seen);
        $this->expectExceptionMessage('before it began');
        $cancelled->await();
    }

    public function testAnyGivesTheFirstThatHasAValue(): void
    {
        $slow = $this->view->wait('slow');
        $wrong = $this->view->refuse('wrong');
        $quick = $this->view->wait('quick', 'quick');
        $opened = $this->view->open('quick');
        self::assertSame('quick', Future::any(['s' => $slow, 'w' => $wrong, 'q' => $quick]));
        $opened->await();
        self::assertSame('quick', Future::any([$slow, $quick]));
        $slow->cancel();
        try {
            Future::any([$wrong, $slow, $this->view->refuse('too')]);
            self::fail('nothing was thrown');
        } catch (AggregateException $error) {
            self::assertStringContainsString('none of 3 futures', $error->getMessage());
            self::assertInstanceOf(ValueError::class, $error->getPrevious());
        }
        $this->expectException(AggregateException::class);
        Future::any([]);
    }

    public function testFibersAwaitInAnyOrder(): void
    {
        $log = [];
        $fibers = [];
        foreach (['a', 'b', 'c'] as $name) {
            $fibers[$name] = new Fiber(function () use ($name, &$log): void {
                $future = $this->view->wait($name, $name);
                Fiber::suspend();
                $log[] = $future->await();
            });
            $fibers[$name]->start();
        }
        foreach (['c', 'a', 'b'] as $name) {
            $this->waits->open($name);
            $fibers[$name]->resume();
        }
        self::assertSame(['c', 'a', 'b'], $log);
    }

    public function testCoroutinesCallPhp(): void
    {
        $double = fn (int $number): int => $this->waits->plain($number) * 2;
        self::assertSame(6, $this->waits->call($double, 3));
        $futures = [];
        for ($number = 0; $number < 20; $number++) {
            $futures[] = $number % 2 ? $this->view->call($double, $number) : $this->view->call_in_thread($double, $number);
        }
        // Requests that cross callbacks on the way.
        self::assertSame('between', $this->waits->plain('between'));
        self::assertSame(range(0, 38, 2), Future::all($futures));
    }

    public function testAnExceptionOfPhpGoesThroughACoroutine(): void
    {
        $thrown = new \DomainException('of PHP');
        try {
            $this->view->call(static fn () => throw $thrown)->await();
            self::fail('nothing was thrown');
        } catch (\DomainException $caught) {
            self::assertSame($thrown, $caught);
        }
    }

    public function testNoCoroutineBelowACallbackOfTheLoop(): void
    {
        $message = fn (callable $call): string => $this->waits->call(static function () use ($call): string {
            try {
                $call();
            } catch (RuntimeError $error) {
                return $error->getMessage();
            }
            return 'nothing was thrown';
        });
        $expected = 'the event loop waits until PHP has answered';
        self::assertStringContainsString($expected, $message(fn () => $this->waits->give(1)));
        self::assertStringContainsString($expected, $message(fn () => $this->view->give(1)->await()));
        self::assertSame(1, $this->waits->give(1));
        // From a thread the loop is free.
        self::assertSame([1, 2], $this->waits->call_in_thread(fn () => [$this->waits->give(1), $this->view->give(2)->await()]));
    }

    public function testAFutureOfAnOuterCallIsNotAwaitedInACallback(): void
    {
        $outer = $this->view->wait('outer', 'outer');
        $message = $this->waits->call(static function () use ($outer): string {
            try {
                return $outer->await();
            } catch (\Tortoise\AccessException $error) {
                return $error->getMessage();
            }
        });
        self::assertStringContainsString('cannot be awaited here', $message);
        $this->waits->open('outer');
        self::assertSame('outer', $outer->await());
    }

    public function testTasksOutliveTheirCallAndContextsAreTheirOwn(): void
    {
        $this->waits->begin('later');
        $joined = $this->view->join();
        $this->waits->open('later');
        self::assertSame(['later'], $joined->await());
        self::assertSame([1, 1], Future::all([$this->view->deeper(), $this->view->deeper()]));
    }

    public function testAsynchronousGeneratorsAndContexts(): void
    {
        $numbers = [];
        foreach ($this->waits->numbers(3) as $number) {
            $numbers[] = [$number, \count($this->waits->seen)];
        }
        self::assertSame([[0, 1], [1, 2], [2, 3]], $numbers, 'item by item');
        self::assertSame('body', with($this->waits, static fn (string $value): string => $value === 'inside' ? 'body' : 'wrong'));
        self::assertNull(with($this->waits, static fn () => throw new \LogicException('swallowed')));
        self::assertSame(['entered', 'left', 'entered', 'left'], \array_slice($this->waits->seen, 3));
    }

    public function testTheEndOfTheRequestCancelsAndRunsFinally(): void
    {
        $file = self::sandbox()->path('ended');
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            if (isset($_GET['leave'])) {
                $waits = new Waits();
                $GLOBALS['left'] = [Tortoise\async($waits)->touch($_GET['leave']), Tortoise\async($waits)->wait('never')];
                $GLOBALS['left'][] = Tortoise\async($waits)->call(fn() => 1);
                $waits->give('they have begun');
                echo 'left';
            } else {
                echo (new Waits())->give('next'), ' ', is_file($_GET['file'] ?? '') ? 'finally' : '', ' ', Tortoise\status()['session'];
            }
            PHP, ['tortoise.path' => __DIR__]);
        $before = $server->get();
        for ($time = 0; $time < 3; $time++) {
            self::assertSame('left', $server->get('leave=' . urlencode($file)));
            self::assertSame(str_replace('  ', ' finally ', $before), $server->get('file=' . urlencode($file)), 'in the same session');
            unlink($file);
        }
    }

    public function testCancelledFuturesAreNotLoggedAndOthersAre(): void
    {
        $log = self::sandbox()->path('php.log');
        $result = self::php(<<<'PHP'
            $waits = new Waits();
            $view = Tortoise\async($waits);
            $view->refuse('dropped');
            $cancelled = $view->wait('never');
            $waits->give('begun');
            $cancelled->cancel();
            unset($cancelled);
            $kept = $view->wait('never');
            $kept->cancel();
            // Answers come in any order: that of the one that failed may come behind those to calls that were waited for.
            for ($end = hrtime(true) + 30e9; !is_file(ini_get('error_log')) && hrtime(true) < $end;) {
                $waits->give('again');
            }
            $waits->give('end');
            echo 'end';
            PHP, ['error_log' => $log]);
        self::assertSame('end', $result->cleanOutput());
        preg_match_all('/nobody awaited failed: (.*)/', (string) file_get_contents($log), $found);
        self::assertSame(['ValueError: dropped'], $found[1]);
    }

    /** @dataProvider channels */
    public function testASessionThatDies(int $sharedMemory): void
    {
        $php = self::startPhp(
            Script::ATTEMPT . <<<'PHP'
                $waits = new Waits();
                $view = Tortoise\async($waits);
                $futures = [$view->wait('a'), $view->wait('b')];
                $waits->give('begun');
                echo Tortoise\status()['session'], "\n";
                fgets(STDIN);
                attempt(fn() => Tortoise\Future::any($futures));
                attempt(fn() => $futures[1]->await());
                $futures[0]->cancel();
                attempt(fn() => $futures[0]->await());
                attempt(fn() => (new Waits())->give(3));
                PHP,
            ['tortoise.shared_memory' => $sharedMemory],
        );
        $session = (int) $php->readLine();
        Processes::kill($session);
        $php->writeLine();
        $lines = explode("\n", $php->wait()->cleanOutput());
        self::assertStringContainsString("process {$session}) is lost", $lines[1]);
        self::assertStringContainsString("process {$session}) is lost", $lines[2]);
        self::assertSame($lines[2], $lines[3]);
        self::assertSame('value: 3', $lines[4]);
    }

    public function testTheTimeoutCountsFromTheAwait(): void
    {
        $lines = explode("\n", self::php(Script::ATTEMPT . <<<'PHP'
            $waits = new Waits();
            $view = Tortoise\async($waits);
            $waits->give('begun');
            $futures = [$view->wait('never'), $view->give(1)];
            attempt(fn() => $futures[1]->await());
            attempt(fn() => $futures[0]->await());
            PHP, ['tortoise.timeout' => '0.5'])->cleanOutput());
        self::assertSame('value: 1', $lines[0]);
        self::assertStringContainsString('no answer within 0.5 s', $lines[1]);
    }

    /** @return iterable<string, array{int}> */
    public static function channels(): iterable
    {
        yield 'shared memory' => [1];
        yield 'socket' => [0];
    }
}
