<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** A sidecar that leaves or renews itself under load: what was begun is finished, and no request is lost. */
final class LeavingTest extends TestCase
{
    /** make test-load does the same with FPM, nginx and a load tool. */
    public function testRequestsOfOnePhpProcessGoOnOverReloadsAndRestarts(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $server = new HttpServer(
            self::sandbox(),
            '$o = new Fault_Process(); $n = random_int(0, PHP_INT_MAX); echo $o->echo($n) === $n ? "right " : "wrong ", $o->pid();',
            ['tortoise.server' => $sidecar->address, 'tortoise.path' => __DIR__],
        );
        $before = $this->session($server);
        foreach (['reload', 'restart', 'reload', 'restart'] as $command) {
            $done = $sidecar->ask($command);
            self::assertSame(0, $done->exitCode, "{$command}: {$done}");
            // The command does not wait until idle sessions have left, so a few requests may still find the old one.
            $requests = 0;
            while (($after = $this->session($server)) === $before) {
                self::assertLessThan(10_000, ++$requests, "a {$command} leads to a new session");
            }
            $before = $after;
        }
        self::assertSame(0, $sidecar->ask('stop')->exitCode);
    }

    public function testSigtermLetsRequestsEndAndTakesNoNewOnes(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $clients = array_map(fn(int $number): PhpProcess => $this->inACall($sidecar, $number), range(1, 3));
        $sidecar->signal(\SIGTERM);
        $sidecar->awaitLine('/leaving/');
        $giveUp = microtime(true) + 30;
        while (file_exists($sidecar->socket()) && microtime(true) < $giveUp) {
            clearstatcache();
        }
        $late = self::php(
            'try { new Fault_Process(); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(); }',
            ['tortoise.server' => $sidecar->address],
        );
        self::assertStringContainsString('No such file', $late->cleanOutput());
        foreach ($clients as $number => $php) {
            file_put_contents($this->fifo($number + 1), "answer {$number}");
            self::assertSame("value: \"answer {$number}\"", $php->readLine(), 'the call that ran');
            self::assertSame('value: "more"', $php->readLine(), 'another call of the same request');
            $php->wait()->cleanOutput();
        }
        self::assertSame(0, $sidecar->wait()->exitCode);
    }

    public function testAHundredHangupsAreAFewReloadsAndHarmNobody(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $php = $this->inACall($sidecar, 1);
        for ($i = 0; $i < 100; ++$i) {
            $sidecar->signal(\SIGHUP);
        }
        $reloaded = $sidecar->ask('reload');
        self::assertSame(0, $reloaded->exitCode, (string) $reloaded);
        file_put_contents($this->fifo(1), 'still here');
        self::assertSame('value: "still here"', $php->readLine());
        self::assertSame('value: "more"', $php->readLine());
        $php->wait()->cleanOutput();
        $sidecar->signal(\SIGTERM);
        $workers = preg_match_all('/worker \d+ is ready/', $sidecar->wait()->output);
        self::assertGreaterThan(1, $workers);
        self::assertLessThan(10, $workers, 'what comes while a reload runs is one more reload');
    }

    /** The process of the session that has served a request, and served it right. */
    private function session(HttpServer $server): int
    {
        $page = $server->get();
        self::assertStringStartsWith('right ', $page);

        return (int) substr($page, \strlen('right '));
    }

    /** A PHP in the middle of a call, which ends when something is written into its pipe. It makes one more call then. */
    private function inACall(Sidecar $sidecar, int $number): PhpProcess
    {
        $fifo = $this->fifo($number);
        posix_mkfifo($fifo, 0o600);
        posix_mkfifo("{$fifo}.begun", 0o600);
        $php = self::startPhp(
            Script::ATTEMPT . '$o = new Fault_Process(); attempt(fn() => $o->announce_and_wait(' . var_export($fifo, true) . '));'
                . 'attempt(fn() => $o->echo("more"));',
            ['tortoise.server' => $sidecar->address],
        );
        self::assertSame('begun', file_get_contents("{$fifo}.begun"));

        return $php;
    }

    private function fifo(int $number): string
    {
        return self::sandbox()->path("fifo{$number}");
    }
}
