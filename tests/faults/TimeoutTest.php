<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `tortoise.timeout` bounds a call; what answers later is never taken for the answer to another call. */
final class TimeoutTest extends TestCase
{
    private const CLASSES = ['Slow.py' => <<<'PY'
        import os, time

        class Slow:
            def wait_for(self, fifo):
                with open(fifo) as pipe:
                    return pipe.read()
            def late(self):
                try:
                    time.sleep(1000)
                except BaseException:
                    return "late"
            def pid(self): return os.getpid()
            def echo(self, value): return value
            def spin(self):
                while True:
                    pass
            def stubborn(self):
                while True:
                    try:
                        time.sleep(1000)
                    except BaseException:
                        pass
        PY];

    public function testACallThatTakesTooLongIsATimeoutAndTheNextOneWorks(): void
    {
        $php = self::startPhp(
            Script::ATTEMPT . '$o = new Slow(); echo $o->pid(), "\n"; attempt(fn() => $o->late());'
                . 'attempt(fn() => $o->echo(1)); $again = new Slow(); fgets(STDIN);'
                . 'attempt(fn() => $again->echo(2)); attempt(fn() => $again->echo(3));',
            ['tortoise.timeout' => '0.5'],
            self::CLASSES,
        );
        $session = (int) $php->readLine();
        $timeout = $php->readLine();
        self::assertStringStartsWith("Tortoise\\TimeoutException: the Python session (process {$session}) gave no answer within 0.5 s", $timeout);
        self::assertStringContainsString('tortoise.timeout', $timeout);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $php->readLine());
        // It answers when it is interrupted: to nobody.
        Processes::awaitEnd($session);
        $php->writeLine();
        self::assertStringEndsWith("value: 2\nvalue: 3\n", $php->wait()->cleanOutput());
    }

    public function testASessionThatIsTooBusyToLeaveIsEnded(): void
    {
        foreach (['spin', 'stubborn'] as $method) {
            $php = self::startPhp(
                Script::ATTEMPT . "\$o = new Slow(); echo \$o->pid(), \"\\n\"; attempt(fn() => \$o->{$method}()); attempt(fn() => (new Slow())->echo(1));",
                ['tortoise.timeout' => '0.2'],
                self::CLASSES,
            );
            $session = (int) $php->readLine();
            self::assertStringStartsWith('Tortoise\TimeoutException: ', $php->readLine());
            self::assertSame('value: 1', $php->readLine());
            $php->wait()->cleanOutput();
            Processes::awaitEnd($session);
        }
    }

    /** A session that does not even read: the limit holds for sending too. */
    public function testASessionThatIsStopped(): void
    {
        foreach (['"small"', 'str_repeat("large", 1 << 24)'] as $argument) {
            $php = self::startPhp(
                Script::ATTEMPT . "\$o = new Slow(); echo \$o->pid(), \"\\n\"; fgets(STDIN);"
                    . "attempt(fn() => \$o->echo({$argument})); attempt(fn() => \$o->echo(1)); attempt(fn() => (new Slow())->echo(2));",
                ['tortoise.timeout' => '0.3', 'memory_limit' => '512M'],
                self::CLASSES,
            );
            $session = (int) $php->readLine();
            Processes::signal($session, \SIGSTOP);
            $php->writeLine();
            self::assertStringStartsWith('Tortoise\TimeoutException: ', $php->readLine());
            self::assertStringStartsWith('Tortoise\StaleObjectException: ', $php->readLine());
            self::assertSame('value: 2', $php->readLine());
            Processes::signal($session, \SIGCONT);
            Processes::awaitEnd($session);
            $php->wait()->cleanOutput();
        }
    }

    public function testTheTimeoutCanBeChangedAtAnyTime(): void
    {
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        $code = Script::ATTEMPT . '$o = new Slow(); attempt(fn() => $o->echo(1)); ini_set("tortoise.timeout", "0.2");'
            . 'attempt(fn() => $o->wait_for(' . var_export($fifo, true) . '));';
        $output = self::php($code, classes: self::CLASSES, seconds: 30)->cleanOutput();
        self::assertStringContainsString("value: 1\nTortoise\\TimeoutException: ", $output);
        self::assertStringContainsString('within 0.2 s', $output);
    }

    public function testZeroIsNoLimit(): void
    {
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        $php = self::startPhp(
            Script::ATTEMPT . '$o = new Slow(); echo "ready\n"; attempt(fn() => $o->wait_for(' . var_export($fifo, true) . '));',
            ['tortoise.timeout' => '0'],
            self::CLASSES,
        );
        $php->readLine();
        file_put_contents($fifo, 'there');
        self::assertSame("ready\nvalue: \"there\"\n", $php->wait()->cleanOutput());
    }

    public function testASettingThatMakesNoSenseIsRefusedAtOnce(): void
    {
        $code = Script::ATTEMPT . '$o = new Slow(); var_dump(@ini_set("tortoise.timeout", "soon")); attempt(fn() => $o->echo(1));';
        self::assertSame("bool(false)\nvalue: 1\n", self::php($code, classes: self::CLASSES)->cleanOutput());
    }
}
