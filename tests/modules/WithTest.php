<?php

declare(strict_types=1);

namespace Tortoise\Tests\Modules;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `Tortoise\with()`: Python's context managers around PHP code. */
final class WithTest extends TestCase
{
    private const BEGIN = Script::ATTEMPT . '$m = Tortoise\import("managers");' . "\n";

    public function testTheBodyGetsWhatEnterGaveAndItsResultComesBack(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $m = Tortoise\import('managers');
            $manager = $m->Manager();
            return [
                Tortoise\with($m->session('a'), fn(string $v) => [$v, 'back']), Tortoise\with($manager, fn($v) => $v === $manager), $manager->left,
                Tortoise\with($m->session('b'), function () {}), Tortoise\with(body: 'strtolower', manager: $m->session('C')),
                Tortoise\with($m->session('d'), fn($d) => Tortoise\with($m->session('e'), fn($e) => $d . $e)), $m->log,
            ];
            PHP);

        self::assertSame([
            ['A', 'back'], true, 1, null, 'c', 'DE',
            ['enter a', 'leave a', 'enter b', 'leave b', 'enter C', 'leave C', 'enter d', 'enter e', 'leave e', 'leave d'],
        ], $facts);
    }

    public function testAPythonExceptionIsItself(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $m = Tortoise\import('managers');
            try {
                Tortoise\with($m->Manager(), function () use ($m, &$inner): void {
                    try {
                        $m->fail();
                    } catch (Tortoise\Python\KeyError $error) {
                        $inner = $error;
                        throw $error;
                    }
                });
            } catch (Tortoise\Python\KeyError $outer) {
            }
            return [
                $outer === $inner, $outer->getPythonException() === $m->last, basename($outer->getFile()), $outer->getPrevious(),
                Tortoise\with($m->Manager(true), $m->fail), substr_count($outer->getPythonTraceback(), 'File'),
            ];
            PHP);

        self::assertSame([true, true, 'managers.py', null, null, 1], $facts);
    }

    public function testAPhpExceptionIsOneOfOurs(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $m = Tortoise\import('managers');
            $sqlstate = new class('no db') extends RuntimeException { protected $code = 'HY000'; };
            $facts = [];
            foreach ([new LogicException("wrong \u{e9}", 7, new Exception('earlier')), new TypeError('type'), $sqlstate, new Exception("\xff")] as $error) {
                try {
                    Tortoise\with($m->Manager(), fn() => throw $error);
                } catch (Throwable $thrown) {
                    $facts[] = [$thrown === $error, ...$m->facts()];
                }
            }
            $facts[] = Tortoise\with($m->Manager(1), fn() => throw new Error());
            return $facts;
            PHP);

        self::assertStringEndsWith('script1.php', $facts[0]['file']);
        $seen = static fn(string $class, string $message, int|string $code, int $line): array => [
            0 => true, 'type' => 'PhpException', 'str' => $message, 'class_name' => $class, 'message' => $message, 'code' => $code,
            'file' => $facts[0]['file'], 'line' => $line,
        ];
        self::assertSame($seen('LogicException', "wrong \u{e9}", 7, 6), $facts[0]);
        self::assertSame($seen('TypeError', 'type', 0, 6), $facts[1]);
        self::assertSame($seen('RuntimeException@anonymous', 'no db', 'HY000', 4), $facts[2]);
        self::assertSame($seen('Exception', "\u{fffd}", 0, 6), $facts[3]);
        self::assertNull($facts[4]);
    }

    public function testWhatExitRaisesIsThrownBeforeWhatItWasTold(): void
    {
        $output = self::php(self::BEGIN . <<<'PHP'
            function chain(callable $call): void
            {
                try {
                    $call();
                    echo "nothing\n";
                } catch (Throwable $error) {
                    for (; $error !== null; $error = $error->getPrevious()) {
                        echo $error::class, ' ', $error->getMessage(), $error->getPrevious() ? ' < ' : "\n";
                    }
                }
            }
            $php = new LogicException('php', 0, new Exception('earlier'));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'exit'), fn() => 1));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'exit'), fn() => throw $php));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'exit'), fn() => $m->fail()));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'unchained'), fn() => throw $php));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'same'), fn() => throw $php));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'same'), fn() => $m->fail()));
            chain(fn() => Tortoise\with($m->Manager(exit_error: 'outer'), fn() => Tortoise\with($m->Manager(exit_error: 'inner'), fn() => throw $php)));
            try {
                Tortoise\with($m->Manager(exit_error: 'exit'), fn() => throw $php);
            } catch (Throwable $error) {
                echo json_encode($error->getPrevious() === $php), "\n";
            }
            PHP)->cleanOutput();

        self::assertSame([
            'Tortoise\Python\ValueError exit',
            'Tortoise\Python\ValueError exit < LogicException php < Exception earlier',
            "Tortoise\\Python\\ValueError exit < Tortoise\\Python\\KeyError 'fail'",
            'Tortoise\Python\ValueError unchained',
            'LogicException php < Exception earlier',
            "Tortoise\\Python\\KeyError 'fail'",
            'Tortoise\Python\ValueError outer < Tortoise\Python\ValueError inner < LogicException php < Exception earlier',
            'true',
        ], explode("\n", trim($output)));
    }

    /** What `__exit__` was told is let go of on both sides, also where PHP's own object stands for it. */
    public function testExceptionsAreReleased(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $m = Tortoise\import('managers');
            $run = static function (string $exit_error) use ($m): void {
                foreach ([$m->fail(...), fn() => throw new LogicException()] as $body) {
                    try {
                        Tortoise\with($m->Manager(exit_error: $exit_error), $body);
                    } catch (Exception) {
                    }
                }
            };
            array_map($run, ['a', 'unchained', 'same']);
            $before = $m->exceptions();
            for ($i = 0; $i < 20; $i++) {
                array_map($run, ['a', 'unchained', 'same']);
            }
            return $m->exceptions() - $before;
            PHP);

        self::assertLessThan(5, $facts);
    }

    public function testWhatIsNoManagerAndWhatIsNoBody(): void
    {
        $output = self::php(self::BEGIN . <<<'PHP'
            $body = function () { echo 'the body ran'; };
            attempt(fn() => Tortoise\with($m->Manager(enter_error: 'enter'), $body));
            attempt(fn() => Tortoise\with($m->HalfManager(), $body));
            attempt(fn() => Tortoise\with($m->fail, $body));
            attempt(fn() => Tortoise\with($m->posing(), $body));
            attempt(fn() => Tortoise\with(new stdClass(), $body));
            attempt(fn() => Tortoise\with(null, $body));
            attempt(fn() => Tortoise\with($m->Manager(), 'no_such_function'));
            attempt(fn() => Tortoise\with($m->Manager()));
            attempt(fn() => Tortoise\with($m->Unreadable(), $body));
            attempt(fn() => $m->log);
            PHP)->cleanOutput();
        $lines = explode("\n", $output);

        self::assertSame('Tortoise\Python\ValueError: enter', $lines[0]);
        self::assertSame('Tortoise\Python\TypeError: an object of managers.HalfManager is no context manager: its class has no __exit__', $lines[1]);
        self::assertSame('Tortoise\Python\TypeError: an object of function is no context manager: its class has no __enter__', $lines[2]);
        self::assertStringContainsString('Posing is no context manager', $lines[3]);
        self::assertSame('TypeError: Tortoise\with(): Argument #1 ($manager) must be of type Tortoise\PyObject', $lines[4]);
        self::assertSame($lines[4], $lines[5]);
        self::assertSame('TypeError: Tortoise\with(): Argument #2 ($body) must be of type callable', $lines[6]);
        self::assertSame('ArgumentCountError: Tortoise\with() takes exactly 2 arguments, 1 given', $lines[7]);
        self::assertStringStartsWith('Tortoise\ConversionException: return value of __enter__: ', $lines[8]);
        self::assertSame("value: [\"unreadable <class 'SystemExit'>\"]", $lines[9]);
    }

    public function testManagersOfTheStandardLibrary(): void
    {
        $file = self::sandbox()->path('written');
        $facts = self::evaluate('$file = ' . var_export($file, true) . ';' . <<<'PHP'
            [$io, $decimal, $contextlib] = array_map(Tortoise\import(...), ['io', 'decimal', 'contextlib']);
            $lock = Tortoise\import('managers')->lock;
            $file = $io->open($file, 'w');
            return [
                Tortoise\with($file, fn($f) => $f->write('text')), $file->closed,
                Tortoise\with($decimal->localcontext(), function ($context) use ($decimal) {
                    $context->prec = 5;
                    return $decimal->getcontext()->prec;
                }), $decimal->getcontext()->prec,
                Tortoise\with($lock, fn() => $lock->locked()), $lock->locked(),
                Tortoise\with($contextlib->suppress(Tortoise\import('builtins')->KeyError), fn() => Tortoise\import('managers')->fail()),
                Tortoise\with($contextlib->closing($io->StringIO('in')), fn($f) => $f->read()),
            ];
            PHP, ['tortoise.modules' => 'io, decimal, contextlib, builtins']);

        self::assertSame([4, true, 5, 28, true, false, null, 'in'], $facts);
        self::assertStringEqualsFile($file, 'text');
    }

    /** @dataProvider waysOut */
    public function testLeavingTheBodyForGoodLeavesTheContext(string $way, string $expected, string $output): void
    {
        $file = self::sandbox()->write('left', '');
        $code = self::BEGIN . '$file = ' . var_export($file, true) . ';' . <<<'PHP'
            Tortoise\with($m->write_at_exit($file, 'outer'), function () use ($m, $file): void {
                Tortoise\with($m->write_at_exit($file, 'inner'), function () use ($file): void {
            PHP . $way . "\n}); echo 'not reached'; });";
        $result = self::php($code, ['memory_limit' => '32M', 'display_errors' => '0', 'log_errors' => '0']);
        self::assertSame($output, $result->output);
        Processes::awaitText($file, "outer {$expected}");
        self::assertStringEqualsFile($file, "inner {$expected}\nouter {$expected}\n");
    }

    /** @return iterable<string, array{string, string, string}> */
    public static function waysOut(): iterable
    {
        yield 'exit' => ['exit("out " . file_get_contents($file));', 'SystemExit', 'out '];
        yield 'a fatal error' => ['trigger_error("fatal", E_USER_ERROR);', 'SystemExit', ''];
        yield 'out of memory' => ['str_repeat("x", 1 << 26);', 'SystemExit', ''];
        yield 'an uncaught exception' => ['throw new Exception();', 'PhpException', ''];
        yield 'the process is killed' => ['exec("kill -9 " . getmypid());', 'SystemExit', ''];
    }

    public function testExitLeavesTheContextAtOnce(): void
    {
        $file = self::sandbox()->write('left', '');
        $code = self::BEGIN . '$file = ' . var_export($file, true) . ';'
            . 'register_shutdown_function(fn() => print(file_get_contents($file))); Tortoise\with($m->write_at_exit($file, "x"), function () { exit; });';
        self::assertSame("x SystemExit\n", self::php($code)->cleanOutput());
    }

    public function testAFiberThatIsDroppedInTheBodyLeavesTheContext(): void
    {
        $file = self::sandbox()->write('left', '');
        $code = self::BEGIN . '$file = ' . var_export($file, true) . ';' . <<<'PHP'
            $fiber = new Fiber(fn() => Tortoise\with($m->write_at_exit($file, 'fiber'), fn() => Fiber::suspend('in')));
            echo $fiber->start(), '|', file_get_contents($file), '|';
            unset($fiber);
            echo file_get_contents($file);
            $other = new Fiber(fn() => Tortoise\with($m->session('other'), fn($v) => Fiber::suspend($v)));
            echo $other->start(), Tortoise\with($m->session('main'), fn($v) => $v), json_encode($m->log), $other->resume('resumed'), $other->getReturn();
            PHP;
        self::assertSame('in||fiber SystemExit' . "\n" . 'OTHERMAIN["enter other","enter main","leave main"]resumed', self::php($code)->cleanOutput());
    }

    /** The session and its locks live on: a request that dies must not leave them taken. */
    public function testALockIsFreeForTheNextRequest(): void
    {
        copy(__DIR__ . '/managers.py', self::sandbox()->classes . '/managers.py');
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            $lock = Tortoise\import('managers')->lock;
            echo json_encode($lock->locked()), getmypid();
            if ($_SERVER['QUERY_STRING'] === 'die') {
                Tortoise\with($lock, fn() => trigger_error('dead', E_USER_ERROR));
            }
            PHP, ['display_errors' => '0']);
        $first = $server->get('die');
        self::assertStringStartsWith('false', $first);
        self::assertSame($first, $server->get());
    }

    public function testASessionThatIsLostInTheBodySaysSoOnce(): void
    {
        $output = self::php(self::BEGIN . <<<'PHP'
            foreach ([false, true] as $silent) {
                $m = Tortoise\import('managers');
                $exit = Tortoise\import('os');
                attempt(fn() => Tortoise\with($m->Manager(), function () use ($exit, $silent): void {
                    try {
                        $exit->abort();
                    } catch (Tortoise\ConnectionException $error) {
                        $silent || throw $error;
                    }
                }));
            }
            echo Tortoise\call('managers', 'session', 'new')::class;
            PHP, ['tortoise.modules' => 'os'])->cleanOutput();
        $lines = explode("\n", $output);

        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[1]);
        self::assertStringStartsWith('Tortoise\Python\contextlib\\', $lines[2]);
    }

    /** PHP's engine would ask `__get`, and that would ask the session in the middle of a request to it. */
    public function testAnExceptionWithoutItsFields(): void
    {
        $output = self::php(<<<'PHP'
            $lock = Tortoise\import('threading')->Lock();
            class Bare extends Exception
            {
                public function __construct() { unset($this->message, $this->line, $this->code, $this->file); }
                public function __get($name) { return (string) $GLOBALS['lock']; }
            }
            try {
                Tortoise\with($lock, fn() => throw new Bare());
            } catch (Bare) {
                echo json_encode($lock->locked());
            }
            PHP, ['tortoise.modules' => '*'])->cleanOutput();
        self::assertSame('false', $output);
    }
}
