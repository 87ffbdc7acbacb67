<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Python code that raises the impossible, recurses for ever or turns its process upside down: the session lives. */
final class BadPythonTest extends TestCase
{
    /** @dataProvider brokenExceptions */
    public function testAnExceptionThatCannotBeShown(string $call, string $expected): void
    {
        $lines = self::attempts("attempt(fn() => \$o->{$call}); attempt(fn() => \$o->ok()); attempt(fn() => \$o->pid() === \$pid);");
        self::assertStringContainsString($expected, $lines[0]);
        self::assertSame(['value: "ok"', 'value: true'], \array_slice($lines, 1, 2));
    }

    /** @return list<array{string, string}> */
    public static function brokenExceptions(): array
    {
        return [
            ['raise_broken("str")', 'RuntimeError'],
            ['raise_broken("repr")', 'BrokenRepr'],
            ['raise_broken("two")', 'TwoArguments'],
            ['raise_broken("endless")', 'RecursionError'],
            ['raise_broken("surrogate")', 'half'],
            ['raise_broken("huge")', 'xxxx'],
            ['raise_broken("noname")', ': (1, 2)'],
            ['raise_chain_in_a_circle()', 'ValueError: first'],
            ['raise_long_chain()', 'ValueError: 999'],
            ['raise_group()', 'both'],
            ['raise_base()', 'GeneratorExit: odd'],
            ['recurse()', 'RecursionError'],
            ['recurse_in_c()', 'RecursionError'],
            ['cyclic()', 'ConversionException'],
            ['deep(1000)', 'ConversionException'],
            ['deep(1000000)', 'ConversionException'],
            ['exhaust_memory()', 'MemoryError'],
        ];
    }

    public function testThePreviousExceptionsOfACircleEnd(): void
    {
        $lines = self::attempts(
            'foreach (["raise_chain_in_a_circle", "raise_long_chain"] as $method) {'
                . 'try { $o->$method(); } catch (Exception $e) { for ($n = 0; $e; $e = $e->getPrevious()) { $n++; } echo "{$n}\n"; } }',
        );
        self::assertSame(['2', '32'], \array_slice($lines, 0, 2));
    }

    public function testAnObjectThatRecursesWhenItIsLookedAt(): void
    {
        $lines = self::attempts(<<<'PHP'
            $odd = $o->recursive_object();
            attempt(fn() => $odd->anything);
            attempt(fn() => (string) $odd);
            attempt(fn() => $odd->anything());
            attempt(fn() => isset($odd->anything));
            attempt(fn() => $odd == $odd);
            unset($odd);
            attempt(fn() => $o->ok());
            attempt(fn() => $o->pid() === $pid);
            PHP);
        self::assertStringContainsString('RecursionError', $lines[0]);
        self::assertStringContainsString('RecursionError', $lines[2]);
        self::assertSame(['value: "ok"', 'value: true'], \array_slice($lines, -3, 2));
    }

    public function testCodeThatChangesItsProcessDoesNoHarmToTheSession(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__ . ':' . self::sandbox()->classes);
        $lines = self::attempts(<<<'PHP'
            attempt(fn() => $o->change_the_process());
            for ($i = 0; $i < 1000; $i++) {
                $o->ok();
                $last = new Fault_Python(str_repeat('x', $i * 100));
            }
            attempt(fn() => strlen($last->text));
            attempt(fn() => (new Fault_Process())->echo([1, ['a' => 2.5]]));
            attempt(fn() => $o->raise_group());
            attempt(fn() => $o->stop_timer());
            attempt(fn() => $o->pid() === $pid);
            PHP, ['tortoise.server' => $sidecar->address]);
        self::assertSame('value: ["\/tmp",0.01]', $lines[0]);
        self::assertSame('value: 99900', $lines[1]);
        self::assertSame('value: [1,{"a":2.5}]', $lines[2]);
        self::assertStringContainsString('both', $lines[3]);
        self::assertSame(['value: null', 'value: true'], \array_slice($lines, 4, 2));
        // Another session begins as if nothing had been.
        $lines = self::attempts('attempt(fn() => (new Fault_Process())->echo(1));', ['tortoise.server' => $sidecar->address]);
        self::assertSame('value: 1', $lines[0]);
    }

    public function testThreadsThatAreLeftBehindEndWithTheSession(): void
    {
        foreach (['leave_threads(10)', 'busy_thread()'] as $call) {
            $php = self::startPhp(
                Script::ATTEMPT . "\$o = new Fault_Python(); echo \$o->pid(), \"\\n\"; \$o->{$call}; attempt(fn() => \$o->ok());",
            );
            $session = (int) $php->readLine();
            self::assertSame('value: "ok"', $php->readLine());
            $php->wait()->cleanOutput();
            Processes::awaitEnd($session);
        }
    }

    public function testAnExceptionInAThreadIsLogged(): void
    {
        $lines = self::attempts('attempt(fn() => $o->raise_in_thread()); echo Tortoise\status()["log"], "\n";');
        self::assertSame('value: null', $lines[0]);
        Processes::awaitText($lines[1], 'ZeroDivisionError');
    }

    public function testAnExceptionOfADestructorIsOnlyLogged(): void
    {
        $lines = self::attempts('$odd = $o->recursive_object(); unset($odd); attempt(fn() => $o->ok()); echo Tortoise\status()["log"], "\n";');
        self::assertSame('value: "ok"', $lines[0]);
        Processes::awaitText($lines[1], 'nobody sees this but the log');
    }

    public function testAnAsynchronousExceptionEndsACallAndNotTheSession(): void
    {
        $lines = self::attempts(
            'for ($i = 0; $i < 20; $i++) { try { $o->pending_async_exception(); } catch (Exception) { } try { $o->ok(); } catch (Exception) { } }'
                . 'attempt(fn() => $o->ok()); attempt(fn() => $o->pid() === $pid);',
        );
        self::assertSame(['value: "ok"', 'value: true'], \array_slice($lines, 0, 2));
    }

    public function testExitHandlersRunWhenTheSessionEnds(): void
    {
        $log = self::sandbox()->write('exit.log', '');
        $php = self::startPhp('$o = new Fault_Python(); echo $o->pid(), "\n"; $o->exit_hooks(' . var_export($log, true) . ');');
        $session = (int) $php->readLine();
        $php->wait()->cleanOutput();
        Processes::awaitEnd($session);
        self::assertStringEqualsFile($log, "at exit\n");
    }

    /**
     * @param array<string, string> $ini
     * @return list<string>
     */
    private static function attempts(string $code, array $ini = []): array
    {
        $result = self::php(Script::ATTEMPT . "\$o = new Fault_Python(); \$pid = \$o->pid(); {$code}", $ini);

        return explode("\n", $result->cleanOutput());
    }
}
