<?php

declare(strict_types=1);

namespace Tortoise\Tests\Deadlines;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** A call that does not come back ends within its deadline and the grace, whatever it does, and disturbs nobody. */
final class DeadlinesTest extends TestCase
{
    private const DEADLINE = 0.5;
    private const GRACE = 1.0;

    /** What a loaded machine may need for what takes milliseconds on its own. */
    private const MARGIN = 3.0;

    /** The longest pause that a neighbour may see, in milliseconds. */
    private const PAUSE = 50.0;

    /**
     * Calls without end, as a busy site's PHP does between two of its own milliseconds. Each line of its input is answered with
     * the longest call since the last one, in milliseconds, and how many there were.
     */
    private const NEIGHBOUR = <<<'PHP'
        $o = new Stuck();
        stream_set_blocking(STDIN, false);
        [$longest, $calls] = [0, 0];
        while (($line = fgets(STDIN)) !== "end\n") {
            if ($line !== false) {
                echo json_encode([$longest / 1e6, $calls]), "\n";
                [$longest, $calls] = [0, 0];
            }
            $began = hrtime(true);
            $o->echo([$calls, 'neighbour']) === [$calls, 'neighbour'] || exit(1);
            $longest = max($longest, hrtime(true) - $began);
            $calls++;
            usleep(500);
        }
        PHP;

    private Sidecar $sidecar;

    private string $slowLog;

    private string $notes;

    /**
     * @dataProvider stuckCalls
     *
     * @param list<string> $notes how the call itself saw its end
     */
    public function testACallThatDoesNotComeBack(string $method, array $notes, bool $isKilled): void
    {
        $this->serve();
        $neighbours = array_map(fn(): PhpProcess => $this->start(self::NEIGHBOUR), [1, 2, 3]);
        $victim = $this->start(Script::ATTEMPT . $this->construct() . 'echo $o->pid(), "\n"; fgets(STDIN);'
            . "attempt(fn() => Tortoise\\timeout(0.5, fn() => \$o->{$method}())); attempt(fn() => (new Stuck())->echo('next')); fgets(STDIN);");
        $session = (int) $victim->readLine();
        // All are under way. What this machine does to them by itself is no fault of the stuck session.
        self::longestPause($neighbours);
        Processes::awaitText($this->busyWork(), 'done');
        $quiet = self::longestPause($neighbours);

        $began = hrtime(true);
        $victim->writeLine();
        $timeout = $victim->readLine();
        self::assertSame('value: "next"', $victim->readLine());
        $next = self::secondsSince($began);
        Processes::awaitEnd($session);
        $gone = self::secondsSince($began);
        $disturbed = self::longestPause($neighbours);

        fwrite(\STDERR, \sprintf(
            "\n%s: error and next call after %.2f s, session gone after %.2f s; neighbours' longest call %.1f ms (%.1f ms before)\n",
            $method,
            $next,
            $gone,
            $disturbed,
            $quiet,
        ));
        self::assertStringStartsWith("Tortoise\\TimeoutException: the Python session (process {$session})", $timeout);
        self::assertStringContainsString("in Stuck::{$method}()", $timeout);
        self::assertGreaterThanOrEqual(self::DEADLINE, $next);
        self::assertLessThan(self::DEADLINE + self::MARGIN, $next, 'the next call does not wait for the session that is stuck');
        self::assertLessThan(self::DEADLINE + ($isKilled ? self::GRACE : 0) + self::MARGIN, $gone);
        self::assertSame($notes, file($this->notes, \FILE_IGNORE_NEW_LINES));
        Processes::awaitText($this->slowLog, "in {$method}");
        $slow = (string) file_get_contents($this->slowLog);
        self::assertStringContainsString((string) $session, $slow);
        self::assertStringContainsString('Stuck.py', $slow);
        self::assertLessThan(max(self::PAUSE, 2 * $quiet), $disturbed, 'milliseconds');
        foreach ([...$neighbours, $victim] as $process) {
            $process->writeLine('end');
            $process->wait()->cleanOutput();
        }
    }

    /** @return iterable<string, array{string, list<string>, bool}> */
    public static function stuckCalls(): iterable
    {
        yield 'while True' => ['spin', ['finally'], false];
        yield 'time.sleep(3600)' => ['sleep', ['finally'], false];
        yield 'a regex that holds the interpreter' => ['search', ['finally'], false];
        yield 'C code that never looks for signals' => ['compute', [], true];
        yield 'one that swallows the interrupt' => ['swallow', ['swallowed'], true];
    }

    /** PHP that dies does not wait for its call either. */
    public function testPhpThatIsKilledInMidCall(): void
    {
        $this->serve();
        $victim = $this->start($this->construct() . 'echo $o->pid(), "\n"; $o->sleep();');
        $session = (int) $victim->readLine();
        $this->awaitBusy($session);
        $victim->signal(\SIGKILL);
        Processes::awaitEnd($session);
        self::assertSame(['finally'], file($this->notes, \FILE_IGNORE_NEW_LINES));
        Processes::awaitText($this->slowLog, 'in sleep');
    }

    /** PHP that ends as it should does not wait for Python's destructors, and they run to their end. */
    public function testDestructorsBehindTheEndOfPhpAreNotInterrupted(): void
    {
        $this->serve();
        $output = $this->start($this->construct() . '$slow = $o->slow(0.2); echo $o->pid();')->wait()->cleanOutput();
        Processes::awaitEnd((int) $output);
        self::assertSame(['begun', 'released'], file($this->notes, \FILE_IGNORE_NEW_LINES));
        self::assertSame('', file_get_contents($this->slowLog));
    }

    public function testTheSupervisorLogsIt(): void
    {
        $this->serve();
        $victim = $this->start(Script::ATTEMPT . $this->construct() . 'echo $o->pid(), "\n"; attempt(fn() => Tortoise\timeout(0.2, fn() => $o->swallow()));');
        $session = $victim->readLine();
        self::assertStringStartsWith('Tortoise\TimeoutException: ', $victim->readLine());
        $this->sidecar->awaitLine("/{$session}.*(interrupted|overdue)/");
        Processes::awaitEnd((int) $session);
        self::assertGreaterThan(0, $this->sidecar->status()['overdue']);
    }

    /** A call that ended in time is not touched by what comes for it too late. */
    public function testTheDeadlineOfAFinishedCallInterruptsNothing(): void
    {
        $this->serve();
        $code = Script::ATTEMPT . $this->construct() . <<<'PHP'
            $pid = $o->pid();
            for ($i = 0; $i < 200; $i++) {
                Tortoise\timeout(0.05, fn() => $o->echo($i));
            }
            attempt(fn() => $o->nap(0.2));
            attempt(fn() => $o->pid() === $pid);
            PHP;
        self::assertSame("value: \"awake\"\nvalue: true\n", $this->start($code)->wait()->cleanOutput());
        self::assertSame('', file_get_contents($this->slowLog));
    }

    private function serve(): void
    {
        $this->slowLog = self::sandbox()->write('slow.log', '');
        $this->notes = self::sandbox()->write('notes', '');
        $this->sidecar = new Sidecar(self::sandbox(), ['--grace', (string) self::GRACE, '--slow-log', $this->slowLog], __DIR__);
    }

    private function start(string $code): PhpProcess
    {
        return self::startPhp($code, ['tortoise.server' => $this->sidecar->address]);
    }

    private function construct(): string
    {
        return '$o = new Stuck(' . var_export($this->notes, true) . ');';
    }

    /** Work of another process for about a second, which writes to a file when it is done. */
    private function busyWork(): string
    {
        $file = self::sandbox()->write('work', '');
        $code = 'for ($end = hrtime(true) + 1e9; hrtime(true) < $end;) { } file_put_contents(' . var_export($file, true) . ', "done");';
        self::startPhp($code);

        return $file;
    }

    /** Waits until the session is in a call. */
    private function awaitBusy(int $session): void
    {
        for ($end = hrtime(true) + 30e9; hrtime(true) < $end;) {
            foreach ($this->sidecar->status()['list'] as $listed) {
                if ($listed['pid'] === $session && $listed['state'] === 'busy') {
                    return;
                }
            }
        }
        self::fail("session {$session} never became busy");
    }

    /** @param list<PhpProcess> $neighbours */
    private static function longestPause(array $neighbours): float
    {
        $longest = 0.0;
        foreach ($neighbours as $neighbour) {
            $neighbour->writeLine();
            [$pause, $calls] = json_decode($neighbour->readLine(), true, 2, \JSON_THROW_ON_ERROR);
            $longest = max($longest, $pause);
        }

        return $longest;
    }

    private static function secondsSince(int $began): float
    {
        return (hrtime(true) - $began) / 1e9;
    }
}
