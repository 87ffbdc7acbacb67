<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\TestCase;

/** PHP scripts that handle, ignore or block signals, and start children of their own. */
final class SignalTest extends TestCase
{
    /** @dataProvider habits */
    public function testASidecarIsStartedWhateverPhpDoesWithSignals(string $habit): void
    {
        self::assertSame('thing', self::php("{$habit} echo (new Life_Thing())->name;")->cleanOutput());
    }

    /** @return array<string, array{string}> */
    public static function habits(): array
    {
        return [
            'SIGCHLD is ignored' => ['pcntl_signal(SIGCHLD, SIG_IGN);'],
            'all children are reaped' => ['pcntl_async_signals(true); pcntl_signal(SIGCHLD, fn() => pcntl_waitpid(-1, $s, WNOHANG));'],
            'signals are blocked' => ['pcntl_sigprocmask(SIG_BLOCK, [SIGTERM, SIGCHLD, SIGINT, SIGUSR1]);'],
            'system calls are not restarted' => ['pcntl_async_signals(true); pcntl_signal(SIGCHLD, fn() => 1, false);'],
            'an alarm rings' => ['pcntl_async_signals(true); pcntl_signal(SIGALRM, fn() => 1, false); pcntl_alarm(1);'],
        ];
    }

    /** Signals blocked in PHP would make a sidecar that nothing but SIGKILL ends. */
    public function testASidecarOfAPhpThatBlocksSignalsCanBeEnded(): void
    {
        $php = self::startPhp('pcntl_sigprocmask(SIG_BLOCK, [SIGTERM]); echo (new Life_Thing())->pid(), "\n"; fgets(STDIN);');
        $session = (int) $php->readLine();
        $sidecar = Processes::parentOf(Processes::parentOf($session));
        Processes::signal($sidecar, \SIGTERM);
        Processes::awaitEnd($sidecar, $session);
        $php->writeLine();
        $php->wait()->cleanOutput();
    }

    public function testStandardDescriptorsMayBeClosed(): void
    {
        $output = self::sandbox()->write('name.txt', '');
        foreach (['0<&-', '2>&-', '0<&- 1>&- 2>&-'] as $closed) {
            $result = self::php(
                'file_put_contents(' . var_export($output, true) . ', (new Life_Thing("' . $closed . '"))->name);',
                wrapper: ['sh', '-c', "exec \"\$0\" \"\$@\" {$closed}"],
            );
            self::assertSame(0, $result->exitCode);
            self::assertStringEqualsFile($output, $closed);
        }
    }

    public function testSignalsInACallDoNotBreakIt(): void
    {
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        posix_mkfifo("{$fifo}.begun", 0o600);
        $class = "class Waits:\n    def wait_for(self, fifo):\n        open(fifo + '.begun', 'w').close()\n        return open(fifo).read()\n";
        $php = self::startPhp(
            'pcntl_async_signals(true); $count = 0; pcntl_signal(SIGUSR1, function () use (&$count) { $count++; }, false);'
                . '$o = new Waits(); echo $o->wait_for(' . var_export($fifo, true) . '), " ", $count > 0 ? "signals" : "no signal";',
            classes: ['Waits.py' => $class],
        );
        file_get_contents("{$fifo}.begun");
        for ($i = 0; $i < 500; $i++) {
            $php->signal(\SIGUSR1);
        }
        file_put_contents($fifo, 'answer');
        self::assertSame('answer signals', $php->wait()->cleanOutput());
    }

    public function testALogThatCannotBeWrittenIsNamed(): void
    {
        self::assertSame("thing", self::php("echo (new Life_Thing())->name;")->cleanOutput());
        [$log] = (array) glob(self::sandbox()->runtime . '/*.log');
        foreach (Processes::withCommandLine("--log {$log}") as $running) {
            Processes::signal($running, \SIGTERM);
            Processes::awaitEnd($running);
        }
        unlink((string) $log);
        mkdir((string) $log);
        $code = 'try { new Life_Thing(); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(); }';
        self::assertStringContainsString("cannot open the log file {$log}", self::php($code)->cleanOutput());
        rmdir((string) $log);
    }

    public function testProcessesThatPhpStartsDoNotInheritTheConnection(): void
    {
        $php = self::startPhp('$o = new Life_Thing(); $child = popen("exec sleep 1000", "r"); echo $o->pid(), "\n"; fgets(STDIN); exit(0);');
        $session = (int) $php->readLine();
        $sleep = self::childOf($php->pid);
        $php->signal(\SIGKILL);
        // The child lives on, and the session sees all the same that its client is gone.
        Processes::awaitEnd($session);
        self::assertTrue(Processes::runs($sleep));
        Processes::kill($sleep);
    }

    private static function childOf(int $process): int
    {
        return (int) file_get_contents("/proc/{$process}/task/{$process}/children");
    }
}
