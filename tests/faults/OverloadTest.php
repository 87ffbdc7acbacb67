<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Frames;
use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\RawClient;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** More clients than there is room for, and sessions that do nothing any more: whoever can be served is. */
final class OverloadTest extends TestCase
{
    private const CLIENTS = 300;

    /** As many as there are places wait for one; all others hear at once that it is busy. */
    public function testBeyondTheQueueClientsAreToldAtOnceToTryLater(): void
    {
        $places = 2;
        $sidecar = new Sidecar(self::sandbox(), ['--max-sessions', (string) $places], __DIR__);
        $busy = array_map(fn(): PhpProcess => $this->inARequest($sidecar, '')[0], range(1, $places));
        $clients = [];
        for ($i = 0; $i < self::CLIENTS; ++$i) {
            $clients[] = (new RawClient($sidecar->address))->send(Frames::hello([__DIR__]));
        }
        // Those who wait say nothing yet, so the others are asked first: they come behind.
        $waiting = array_splice($clients, 0, $places);
        foreach ($clients as $client) {
            $frame = $client->receive();
            self::assertSame(Frames::REFUSAL, $frame['kind'] ?? null);
            self::assertStringContainsString('all 2 sessions are taken', $frame['payload']);
            self::assertNull($client->receive());
        }
        self::assertSame($places, $sidecar->status()['waiting']);
        foreach ($busy as $php) {
            $php->wait()->cleanOutput();
        }
        foreach ($waiting as $client) {
            self::assertSame(Frames::WELCOME, $client->receive()['kind'] ?? null, 'who waited is served');
        }
    }

    /** Nothing that sessions do keeps the supervisor from answering. */
    public function testWhileAllSessionsHangTheSidecarAnswers(): void
    {
        $places = 3;
        $sidecar = new Sidecar(self::sandbox(), ['--max-sessions', (string) $places, '--grace', '1'], __DIR__);
        $hanging = array_map(fn(): array => $this->inARequest($sidecar, ''), range(1, $places));
        foreach ($hanging as [, $session]) {
            // It does not even read any more.
            Processes::signal($session, \SIGSTOP);
        }
        $begin = hrtime(true);
        $status = $sidecar->status();
        self::assertLessThan(5.0, (hrtime(true) - $begin) / 1e9, 'seconds until the answer');
        self::assertSame($places, $status['sessions']['busy']);
        $frame = (new RawClient($sidecar->address))->send(Frames::hello([__DIR__]))->receive();
        self::assertSame(Frames::REFUSAL, $frame['kind'] ?? null, 'who finds no place is told so');
        foreach ($hanging as [$php, $session]) {
            $php->kill();
            Processes::signal($session, \SIGCONT);
            Processes::awaitEnd($session);
        }
        $php = self::php('echo (new Fault_Process())->value;', ['tortoise.server' => $sidecar->address]);
        self::assertSame('1', $php->cleanOutput(), 'their places are free again');
    }

    /** All sessions are lost at one moment, and all their clients come back in the next. */
    public function testAStormOfReconnectionsIsServedByOneNewWorker(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $code = 'attempt(fn() => $o->echo(1)); attempt(fn() => (new Fault_Process())->echo(2));';
        $clients = array_map(fn(): array => $this->inARequest($sidecar, $code), range(1, 25));
        $sessions = array_column($clients, 1);
        $worker = Processes::parentOf($sessions[0]);
        Processes::signal($worker, \SIGKILL);
        Processes::awaitEnd($worker, ...$sessions);
        foreach ($clients as [$php]) {
            $php->writeLine();
        }
        foreach ($clients as [$php]) {
            self::assertStringStartsWith('Tortoise\ConnectionException: ', $php->readLine());
            self::assertSame('value: 2', $php->readLine());
            $php->wait()->cleanOutput();
        }
        $sidecar->signal(\SIGTERM);
        self::assertSame(2, preg_match_all('/worker \d+ is ready/', $sidecar->wait()->output), 'how many workers there were');
    }

    /**
     * A PHP that has a session and waits, in the middle of its request, to go on with the code.
     *
     * @return array{PhpProcess, int} it and the process of its session
     */
    private function inARequest(Sidecar $sidecar, string $code): array
    {
        $php = self::startPhp(
            Script::ATTEMPT . "\$o = new Fault_Process(); echo \$o->pid(), \"\\n\"; fgets(STDIN); {$code}",
            ['tortoise.server' => $sidecar->address],
        );

        return [$php, (int) $php->readLine()];
    }
}
