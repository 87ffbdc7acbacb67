<?php

declare(strict_types=1);

namespace Tortoise\Tests\Deadlines;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `Tortoise\timeout()`: all calls in a function have so many seconds together. */
final class ScopeTest extends TestCase
{
    private const INI = ['tortoise.timeout' => '20'];

    /** Prints how a function ended, and whether that took the time that it should: at least, and less than. */
    private const TIMED = Script::ATTEMPT . <<<'PHP'

        function timed(float $least, float $most, callable $call): void
        {
            $began = hrtime(true);
            attempt($call);
            $took = (hrtime(true) - $began) / 1e9;
            if ($took < $least || $took >= $most) {
                echo "but it took {$took} s\n";
            }
        }
        $o = new Stuck();

        PHP;

    public function testTheValueTheArgumentsAndTheErrors(): void
    {
        $lines = $this->lines(<<<'PHP'
            attempt(fn() => Tortoise\timeout(5, fn() => [$o->echo(1), $o->echo(2)]));
            attempt(fn() => Tortoise\timeout(seconds: 5.5, function: fn() => null));
            attempt(fn() => Tortoise\timeout(0, 'phpversion') === phpversion());
            attempt(fn() => Tortoise\timeout(5, fn() => throw new DomainException('mine')));
            attempt(fn() => Tortoise\timeout(5, fn() => $o->nothing_there()));
            attempt(fn() => Tortoise\timeout(-1, fn() => 1));
            attempt(fn() => Tortoise\timeout(NAN, fn() => 1));
            attempt(fn() => Tortoise\timeout('soon', fn() => 1));
            attempt(fn() => Tortoise\timeout(1, 'no such function'));
            attempt(fn() => Tortoise\timeout(1));
            attempt(fn() => Tortoise\timeout(INF, fn() => $o->echo(3)));
            attempt(fn() => $o->echo(4));
            PHP);
        self::assertSame(['value: [1,2]', 'value: null', 'value: true', 'DomainException: mine'], \array_slice($lines, 0, 4));
        self::assertStringStartsWith('Error: Call to undefined method Stuck::nothing_there()', $lines[4]);
        self::assertStringStartsWith('Tortoise\AccessException: Tortoise\timeout(): $seconds is -1', $lines[5]);
        self::assertStringStartsWith('Tortoise\AccessException: Tortoise\timeout(): $seconds is NaN', $lines[6]);
        self::assertStringStartsWith('TypeError: Tortoise\timeout(): Argument #1 ($seconds)', $lines[7]);
        self::assertStringStartsWith('TypeError: Tortoise\timeout(): Argument #2 ($function)', $lines[8]);
        self::assertStringStartsWith('ArgumentCountError: ', $lines[9]);
        self::assertSame(['value: 3', 'value: 4'], \array_slice($lines, 10));
    }

    public function testTheErrorSaysWhatHappenedAndTheNextCallWorks(): void
    {
        $lines = $this->lines(<<<'PHP'
            echo $o->pid(), "\n";
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, fn() => $o->sleep()));
            attempt(fn() => $o->echo(1));
            attempt(fn() => (new Stuck())->echo(2));
            attempt(fn() => Tortoise\timeout(0.3, fn() => (new Stuck())->sleep()));
            attempt(fn() => Tortoise\timeout(0.3, fn() => Tortoise\async(new Stuck())->rest(100)->await()));
            PHP);
        self::assertMatchesRegularExpression(
            "/^Tortoise\\\\TimeoutException: the Python session \\(process {$lines[0]}\\) gave no answer within 0\\.3 s, the limit that "
                . 'Tortoise\\\\timeout\(\) sets, in Stuck::sleep\(\)\. The call has been interrupted; where it was, its slow log '
                . 'or its log shows\. .* the sidecar\'s log is .*\.log$/',
            $lines[1],
        );
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[2]);
        self::assertSame('value: 2', $lines[3]);
        self::assertStringContainsString('in Stuck::sleep()', $lines[4]);
        self::assertStringContainsString('in Tortoise\Future::await()', $lines[5]);
    }

    public function testTheTimeIsThatOfAllCallsTogether(): void
    {
        $lines = $this->lines(<<<'PHP'
            timed(0.4, 5, fn() => Tortoise\timeout(0.4, function () use ($o) {
                for ($i = 0; $i < 100; $i++) {
                    $o->nap(0.05);
                }
            }));
            PHP);
        self::assertCount(1, $lines);
        self::assertStringStartsWith('Tortoise\TimeoutException: ', $lines[0]);
        self::assertStringContainsString('0.4 s', $lines[0]);
    }

    /** PHP's own time counts too, but only a call of Python's ends by it; the session is as it was. */
    public function testACallBehindTheEndIsNotMadeAndTheSessionStays(): void
    {
        $lines = $this->lines(<<<'PHP'
            attempt(fn() => Tortoise\timeout(0.05, function () use ($o) {
                usleep(100_000);
                return $o->echo(1);
            }));
            attempt(fn() => Tortoise\timeout(0.05, function () {
                usleep(100_000);
                return 'no Python here';
            }));
            attempt(fn() => $o->echo(2));
            PHP);
        self::assertStringStartsWith('Tortoise\TimeoutException: the 0.05 s that Tortoise\timeout() gave are over', $lines[0]);
        self::assertSame(['value: "no Python here"', 'value: 2'], \array_slice($lines, 1));
    }

    public function testItCountsInPlaceOfTheSetting(): void
    {
        $lines = $this->lines(<<<'PHP'
            ini_set('tortoise.timeout', '0.2');
            attempt(fn() => Tortoise\timeout(10, fn() => $o->nap(0.4)));
            attempt(fn() => Tortoise\timeout(0, fn() => $o->nap(0.4)));
            attempt(fn() => Tortoise\timeout(0, function () use ($o) {
                ini_set('tortoise.timeout', '0.1');
                return $o->nap(0.4);
            }));
            timed(0.1, 5, fn() => $o->nap(30));
            PHP);
        self::assertSame(['value: "awake"', 'value: "awake"', 'value: "awake"'], \array_slice($lines, 0, 3));
        self::assertStringContainsString('within 0.1 s, the limit that tortoise.timeout sets, in Stuck::nap()', $lines[3]);
    }

    public function testOfTwoTheEarlierEndCounts(): void
    {
        $lines = $this->lines(<<<'PHP'
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, fn() => Tortoise\timeout(10, fn() => $o->nap(20))));
            $o = new Stuck();
            timed(0.3, 5, fn() => Tortoise\timeout(10, fn() => Tortoise\timeout(0.3, fn() => $o->nap(20))));
            $o = new Stuck();
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, fn() => Tortoise\timeout(0, fn() => $o->nap(20))));
            $o = new Stuck();
            attempt(fn() => Tortoise\timeout(10, function () use ($o) {
                Tortoise\timeout(0.2, fn() => $o->echo(1));
                return $o->nap(0.4);
            }));
            attempt(fn() => Tortoise\timeout(10, function () use ($o) {
                try {
                    Tortoise\timeout(0.2, fn() => throw new DomainException());
                } catch (DomainException) {
                }
                return $o->nap(0.4);
            }));
            PHP);
        foreach ([0, 1, 2] as $ended) {
            self::assertStringContainsString('within 0.3 s', $lines[$ended]);
        }
        self::assertSame(['value: "awake"', 'value: "awake"'], \array_slice($lines, 3));
    }

    /** Callbacks are in the function; what they open and close is theirs. */
    public function testCallbacks(): void
    {
        $lines = $this->lines(<<<'PHP'
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, fn() => $o->call(fn() => $o->nap(20))));
            $o = new Stuck();
            attempt(fn() => $o->call(function () use ($o) {
                Tortoise\timeout(0.1, fn() => $o->echo(1));
                usleep(200_000);
                return $o->nap(0.1);
            }));
            attempt(fn() => Tortoise\timeout(10, fn() => $o->call(function () use ($o) {
                try {
                    Tortoise\timeout(0.1, fn() => usleep(200_000) ?? $o->echo(1));
                } catch (Tortoise\TimeoutException) {
                    return $o->echo('caught in the callback');
                }
            })));
            timed(0.2, 5, fn() => $o->call(fn() => Tortoise\timeout(0.2, fn() => $o->nap(20))));
            attempt(fn() => (new Stuck())->echo(1));
            PHP);
        self::assertStringContainsString('within 0.3 s', $lines[0]);
        self::assertSame(['value: "awake"', 'value: "caught in the callback"'], \array_slice($lines, 1, 2));
        self::assertStringContainsString('within 0.2 s', $lines[3]);
        self::assertSame('value: 1', $lines[4]);
    }

    /** A Fiber takes its own scopes with it, and is in those of whoever resumes it. */
    public function testFibers(): void
    {
        $lines = $this->lines(<<<'PHP'
            $fiber = new Fiber(fn() => Tortoise\timeout(0.2, function () use ($o) {
                $o->echo('within');
                Fiber::suspend();
                return $o->echo('too late');
            }));
            $fiber->start();
            attempt(fn() => $o->nap(0.4));
            attempt(fn() => Tortoise\timeout(10, fn() => $o->nap(0.1)));
            attempt(fn() => $fiber->resume());
            attempt(fn() => $o->echo('outside'));

            $fiber = new Fiber(function () use ($o) {
                Fiber::suspend($o->nap(0.2));
                return $o->nap(20);
            });
            attempt(fn() => $fiber->start());
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, fn() => $fiber->resume()));

            $o = new Stuck();
            $fiber = new Fiber(fn() => Tortoise\timeout(0.2, fn() => Fiber::suspend()));
            $fiber->start();
            unset($fiber);
            gc_collect_cycles();
            attempt(fn() => $o->nap(0.4));
            PHP);
        self::assertSame(['value: "awake"', 'value: "awake"'], \array_slice($lines, 0, 2));
        self::assertStringStartsWith('Tortoise\TimeoutException: the 0.2 s that Tortoise\timeout() gave are over', $lines[2]);
        self::assertSame(['value: "outside"', 'value: "awake"'], \array_slice($lines, 3, 2));
        self::assertStringContainsString('within 0.3 s', $lines[5]);
        self::assertSame(['value: "awake"'], \array_slice($lines, 6));
    }

    public function testFutures(): void
    {
        $lines = $this->lines(<<<'PHP'
            $view = Tortoise\async($o);
            $future = $view->rest(0.3);
            attempt(fn() => Tortoise\timeout(10, fn() => $future->await()));
            [$first, $second] = [$view->rest(0.05), $view->rest(100)];
            attempt(fn() => Tortoise\timeout(0.5, fn() => Tortoise\Future::any([$first, $second])));
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, fn() => Tortoise\Future::all([$view->rest(0.01), $second])));
            attempt(fn() => $second->await());
            $inside = Tortoise\timeout(0.2, fn() => Tortoise\async(new Stuck())->rest(0.4));
            attempt(fn() => $inside->await());
            PHP);
        self::assertSame('value: "rested"', $lines[0]);
        self::assertSame('value: "rested"', $lines[1]);
        self::assertStringContainsString('within 0.3 s', $lines[2]);
        self::assertStringContainsString('within 0.3 s', $lines[3], 'all that wait are told the same');
        self::assertSame('value: "rested"', $lines[4]);
    }

    /** What ends a request in the middle of the function ends the scope. */
    public function testAFatalErrorAndExitInIt(): void
    {
        foreach (['exit(0);', 'str_repeat("x", 1 << 40);', 'no_such_function();'] as $end) {
            $output = self::php(
                self::TIMED . 'register_shutdown_function(function () use ($o) { attempt(fn() => $o->nap(0.4)); });'
                    . "Tortoise\\timeout(0.2, function () use (\$o) { \$o->echo(1); {$end} });",
                ['tortoise.timeout' => '20', 'display_errors' => '0', 'memory_limit' => '64M'],
            )->output;
            self::assertSame("value: \"awake\"\n", $output, $end);
        }
    }

    /** Connecting is a part of the first call. */
    public function testConnecting(): void
    {
        $socket = self::sandbox()->path('mute.sock');
        $listener = stream_socket_server("unix://{$socket}");
        $code = Script::ATTEMPT . 'attempt(fn() => Tortoise\timeout(0.4, fn() => new Stuck()));';
        $line = self::php($code, ['tortoise.server' => "unix://{$socket}"], seconds: 20)->cleanOutput();
        self::assertStringStartsWith('Tortoise\TimeoutException: no Python session within 0.4 s', $line);
        fclose($listener);
    }

    public function testOverASocket(): void
    {
        $lines = $this->lines(<<<'PHP'
            attempt(fn() => Tortoise\status()['channel']);
            attempt(fn() => Tortoise\timeout(10, fn() => strlen($o->echo(str_repeat('x', 3 << 20)))));
            timed(0.3, 5, fn() => Tortoise\timeout(0.3, function () use ($o) {
                while (true) {
                    $o->nap(0.05);
                }
            }));
            $o = new Stuck();
            ini_set('tortoise.timeout', '0.2');
            attempt(fn() => Tortoise\timeout(10, fn() => $o->nap(0.4)));
            timed(0.2, 5, fn() => $o->nap(20));
            PHP, ['tortoise.shared_memory' => '0']);
        self::assertSame(['value: "unix socket"', 'value: 3145728'], \array_slice($lines, 0, 2));
        self::assertStringContainsString('Tortoise\timeout()', $lines[2]);
        self::assertSame('value: "awake"', $lines[3]);
        self::assertStringContainsString('within 0.2 s, the limit that tortoise.timeout sets', $lines[4]);
    }

    /**
     * @param array<string, string> $ini
     * @return list<string>
     */
    private function lines(string $code, array $ini = []): array
    {
        return explode("\n", rtrim(self::php(self::TIMED . $code, $ini + self::INI)->cleanOutput()));
    }
}
