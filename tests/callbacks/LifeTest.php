<?php

declare(strict_types=1);

namespace Tortoise\Tests\Callbacks;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** How long callbacks and PHP's objects in Python live, and what they cost. */
final class LifeTest extends TestCase
{
    private const TIMES = 100_000;

    /** Far below what so many leaked arguments, objects or frames would take. */
    private const BOUND_BYTES = 1_000_000;

    /** @return iterable<string, array{0: string, 1?: int}> */
    public static function uses(): iterable
    {
        $few = self::TIMES / 10;
        yield 'a closure' => ['$caller->times(1000, $closure, $i, [$i]);', self::TIMES / 1000];
        yield 'new closures' => ['$caller->call(static fn () => $i);', $few];
        yield 'objects' => ['$caller->get(new Person("x"), "name"); $caller->echo(new Person("y"));', $few];
        yield 'exceptions' => ['try { $caller->call($throw); } catch (DomainException) {}', $few];
        yield 'exceptions that Python catches' => ['$caller->swallow($throw, 1);', $few];
        yield 'exceptions of Python' => ['try { $caller->call($refuse); } catch (Tortoise\Python\KeyError) {}', $few];
        yield 'generators that are left' => ['$caller->first((static function () { yield 1; yield 2; })(), 1);', $few];
        yield 'magic, named arguments and references' => ['$caller->invoke(new MagicCalls(), "any", 1, two: 2); $caller->invoke($person, "bump", 1);', $few];
        yield 'calls of Python in callbacks' => ['$caller->call($nested);', $few];
        yield 'bulk' => ['$caller->call($echo, str_repeat("x", 20_000));', $few];
    }

    /** @dataProvider uses */
    public function testTheMemoryOfBothProcessesStaysLevel(string $use, int $times): void
    {
        $specimens = var_export(__DIR__ . '/Specimens.php', true);
        $grown = self::evaluate(<<<PHP
            require {$specimens};
            class_alias('Tortoise\\Tests\\Callbacks\\Person', 'Person');
            class_alias('Tortoise\\Tests\\Callbacks\\MagicCalls', 'MagicCalls');
            \$caller = new Caller();
            \$person = new Person('x');
            \$closure = static fn (int \$number, array \$list): array => [\$number, \$list];
            \$echo = static fn (mixed \$value): mixed => \$value;
            \$throw = static fn () => throw new DomainException('x');
            \$refuse = static fn () => \$caller->refuse('x');
            \$nested = static fn () => \$caller->echo(new Person('z'));
            \$bytes = static function (int|string \$process): int {
                preg_match('/^VmRSS:\s+(\d+) kB\$/m', file_get_contents("/proc/\$process/status"), \$found);
                return 1024 * (int) \$found[1];
            };
            \$measure = static function (int \$times) use (\$caller, \$person, \$closure, \$echo, \$throw, \$refuse, \$nested, \$bytes): array {
                for (\$i = 0; \$i < \$times; \$i++) {
                    {$use}
                }
                \$caller->forget();
                return [
                    'exports' => Tortoise\\status()['exports'],
                    'zend' => memory_get_usage(),
                    'php' => \$bytes('self'),
                    'python' => \$bytes(Tortoise\\status()['session']),
                ];
            };
            \$measure(intdiv({$times}, 10) + 1);
            \$before = \$measure(intdiv({$times}, 10) + 1);
            \$after = \$measure({$times});
            return array_map(static fn (int \$one, int \$other): int => \$one - \$other, \$after, \$before);
            PHP);
        [$exports, $zend, $php, $python] = $grown;
        self::assertLessThanOrEqual(1, $exports);
        self::assertLessThan(10_000, $zend);
        self::assertLessThan(self::BOUND_BYTES, $php);
        self::assertLessThan(self::BOUND_BYTES, $python);
    }

    public function testAThreadThatGoesOnWaitsForTheNextCall(): void
    {
        self::assertSame([['called'], 1], self::evaluate(<<<'PHP'
            $caller = new Caller();
            $calls = 0;
            $caller->start(static function () use (&$calls): void { $calls++; });
            return [$caller->finish(), $calls];
            PHP));
    }

    /** Two requests of one PHP process, and a module of Python's that stays over both. */
    public function testAfterTheRequestACallbackIsAnError(): void
    {
        $script = <<<'PHP'
            if (($_SERVER['QUERY_STRING'] ?? '') === 'keep') {
                $caller = new Caller();
                Caller::hold(static fn () => 'called');
                echo $caller->why(static fn () => 1) === [] ? 'kept' : 'error';
            } else {
                $caller = new Caller();
                [$class] = $caller->why_held();
                echo $class, ' ', $caller->call(static fn () => 'and on');
            }
            PHP;
        $server = new HttpServer(self::sandbox(), $script, ['tortoise.path' => __DIR__]);
        self::assertSame('kept', $server->get('keep'));
        self::assertSame('RequestOver and on', $server->get('use'));
        self::assertSame('kept', $server->get('keep'));
        self::assertSame('RequestOver and on', $server->get('use'));
    }

    public function testAFatalErrorInACallbackLeavesTheNextRequestWhole(): void
    {
        $script = <<<'PHP'
            if (($_SERVER['QUERY_STRING'] ?? '') === 'fail') {
                ini_set('memory_limit', '16M');
                (new Caller())->call(static fn () => str_repeat('x', 100_000_000));
            }
            echo (new Caller())->call(static fn () => 'fine');
            PHP;
        $server = new HttpServer(self::sandbox(), $script, ['tortoise.path' => __DIR__]);
        self::assertSame('fine', $server->get());
        self::assertStringContainsString('Allowed memory size', $server->get('fail'));
        self::assertSame('fine', $server->get());
    }

    public function testObjectsThatPythonKeepsDieWithTheRequest(): void
    {
        $result = self::php(<<<'PHP'
            final class Mortal { public function __destruct() { echo "died\n"; } }
            $caller = new Caller();
            $caller->keep(new Mortal());
            echo "end\n";
            PHP);
        self::assertSame("end\ndied\n", $result->cleanOutput());
    }

    public function testADestructorThatCallsPythonAtTheEnd(): void
    {
        $result = self::php(<<<'PHP'
            final class Talker {
                public function __construct(private Caller $caller) {}
                public function __destruct() { echo $this->caller->call(static fn () => "called back\n"); }
            }
            $caller = new Caller();
            $caller->keep(new Talker($caller));
            echo "end\n";
            PHP);
        self::assertSame("end\ncalled back\n", $result->cleanOutput());
    }

    public function testACallbackInAFiberThatIsSuspendedAndResumed(): void
    {
        self::assertSame(['in', 'main', 'resumed'], self::evaluate(<<<'PHP'
            $caller = new Caller();
            $fiber = new Fiber(static fn () => $caller->call(static fn () => Fiber::suspend('in')));
            $first = $fiber->start();
            $second = $caller->echo('main');
            $fiber->resume('resumed');
            return [$first, $second, $fiber->getReturn()];
            PHP));
    }

    public function testFibersThatComeToTheirEndInTheWrongOrderAreAnError(): void
    {
        [$class, $message, $new] = self::evaluate(<<<'PHP'
            $caller = new Caller();
            $call = static fn () => $caller->call(static fn () => Fiber::suspend());
            $one = new Fiber($call);
            $other = new Fiber($call);
            $one->start();
            $other->start();
            try {
                $one->resume(1);
                return ['', '', ''];
            } catch (Throwable $error) {
                return [$error::class, $error->getMessage(), (new Caller())->echo('new session')];
            }
            PHP);
        self::assertSame('Tortoise\ConnectionException', $class);
        self::assertStringContainsString('Fiber', $message);
        self::assertSame('new session', $new);
    }

    public function testAFiberThatIsDroppedInACallback(): void
    {
        self::assertSame(['after', 'cleaned'], self::evaluate(<<<'PHP'
            $caller = new Caller();
            $seen = [];
            (static function () use ($caller, &$seen): void {
                $fiber = new Fiber(static function () use ($caller, &$seen): void {
                    $caller->call(static function () use (&$seen): void {
                        try {
                            Fiber::suspend();
                        } finally {
                            $seen[] = 'cleaned';
                        }
                    });
                });
                $fiber->start();
            })();
            gc_collect_cycles();
            return [$caller->echo('after'), ...$seen];
            PHP));
    }

    public function testTheTimeoutCountsEachStretchInPythonOnItsOwn(): void
    {
        self::assertSame('done', self::evaluate(<<<'PHP'
            $caller = new Caller();
            // PHP's own time in the callback is longer than Python may take.
            return $caller->call(static function (): string { $end = hrtime(true) + 600_000_000; while (hrtime(true) < $end) {} return 'done'; });
            PHP, ini: ['tortoise.timeout' => '0.5']));
    }
}
