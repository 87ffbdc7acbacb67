<?php

declare(strict_types=1);

namespace Tortoise\Tests\Service;

use Tortoise\Tests\Support\Edited;
use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** A reload: what runs ends on the old code, what begins gets the new, and nobody sees an error. */
final class ReloadTest extends TestCase
{
    private Sidecar $sidecar;

    public function testSighupIsNewCodeInTheNextRequestOfTheSamePhp(): void
    {
        $this->edit(1);
        $this->serve();
        $server = new HttpServer(self::sandbox(), Edited::SHOW, ['tortoise.server' => $this->sidecar->address]);
        [$version, $constant, $old] = Edited::shown($server->get());
        self::assertSame([1, 1], [$version, $constant]);
        $this->edit(2);
        self::assertSame([1, 1, $old], Edited::shown($server->get()), 'the session has the module');
        $this->sidecar->signal(\SIGHUP);
        $this->awaitReload(1);
        Processes::awaitEnd((int) $old);
        [$version, $constant, $new] = Edited::shown($server->get());
        self::assertSame([2, 2], [$version, $constant]);
        self::assertNotSame($old, $new);
        self::assertSame([2, 2, $new], Edited::shown($server->get()));
    }

    /** What the operator does next sees the new code: no idle session is left that could begin a request with the old. */
    public function testTheRequestBehindTheCommandHasTheNewCode(): void
    {
        $this->edit(0);
        $this->serve();
        $server = new HttpServer(self::sandbox(), Edited::SHOW, ['tortoise.server' => $this->sidecar->address]);
        self::assertSame(0, Edited::shown($server->get())[0]);
        for ($reload = 1; $reload <= 8; $reload++) {
            $this->edit($reload);
            self::assertSame(0, $this->sidecar->ask('reload')->exitCode);
            self::assertSame($reload, Edited::shown($server->get())[0]);
        }
    }

    /** Idle or not: each request of these falls on a reload at another moment. */
    public function testRequestsBesideReloads(): void
    {
        $this->edit(1);
        $this->serve();
        $server = new HttpServer(self::sandbox(), Edited::SHOW, ['tortoise.server' => $this->sidecar->address]);
        $version = 0;
        for ($reload = 1; $reload <= 5; $reload++) {
            $this->edit($reload);
            $this->sidecar->signal(\SIGHUP);
            $until = hrtime(true) + 60e9;
            do {
                [$seen, $constant] = Edited::shown($server->get());
                self::assertSame($seen, $constant);
                self::assertGreaterThanOrEqual($version, $seen, 'never back to old code');
                $version = $seen;
            } while ($seen !== $reload && hrtime(true) < $until);
            self::assertSame($reload, $version);
        }
    }

    public function testARunningRequestEndsOnTheOldCode(): void
    {
        $this->edit(1);
        $this->serve();
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        $php = $this->start(
            Script::ATTEMPT . '$o = new Edited(); echo "begun\n";'
                . 'attempt(fn() => [$o->read(' . var_export($fifo, true) . '), $o->version()]);'
                . 'attempt(fn() => [(new Edited())->version(), Edited::VERSION]); fgets(STDIN); attempt(fn() => $o->version());',
        );
        self::assertSame('begun', $php->readLine());
        $this->edit(2);
        self::assertSame(0, $this->sidecar->ask('reload')->exitCode);
        $other = $this->start(Edited::SHOW)->wait()->cleanOutput();
        self::assertSame([2, 2], \array_slice(Edited::shown($other), 0, 2), 'whoever comes now gets the new code');
        file_put_contents($fifo, 'read');
        self::assertSame(['read', 1], Edited::shown($php->readLine()));
        self::assertSame([1, 1], Edited::shown($php->readLine()), 'to the end of the request');
        $php->writeLine();
        self::assertSame("value: 1", explode("\n", rtrim($php->wait()->cleanOutput()))[3]);
    }

    /** With a class that cannot be imported any more: those who have it go on, and who comes is told. */
    public function testCodeThatIsBrokenBreaksOnlyItself(): void
    {
        $this->edit(1);
        $this->serve();
        self::sandbox()->writeClass('sound.py', "value = 'sound'\n");
        $script = Edited::SHOW . 'attempt(fn() => Tortoise\import("sound")->value); echo Tortoise\status()["session"];';
        $server = new HttpServer(self::sandbox(), $script, ['tortoise.server' => $this->sidecar->address]);
        [, , $session] = explode("\n", $server->get());
        self::sandbox()->writeClass('Edited.py', "class Edited(:\n");
        $this->reloadBehind((int) $session);
        [$broken, $sound, $session] = explode("\n", $server->get());
        self::assertStringContainsString('SyntaxError', $broken);
        self::assertStringContainsString('Edited.py', $broken);
        self::assertSame('value: "sound"', $sound);
        $this->edit(3);
        $this->reloadBehind((int) $session);
        self::assertSame(3, Edited::shown(explode("\n", $server->get())[0])[0]);
    }

    private function serve(): void
    {
        $this->sidecar = new Sidecar(self::sandbox());
    }

    private function start(string $code): PhpProcess
    {
        return self::startPhp($code, ['tortoise.server' => $this->sidecar->address]);
    }

    private function edit(int $version): void
    {
        Edited::write(self::sandbox(), $version);
    }

    /** Reloads, and waits until an idle session of the old code has left. */
    private function reloadBehind(int $session): void
    {
        self::assertSame(0, $this->sidecar->ask('reload')->exitCode);
        Processes::awaitEnd($session);
    }

    private function awaitReload(int $count): void
    {
        for ($end = hrtime(true) + 60e9; hrtime(true) < $end;) {
            $status = $this->sidecar->status();
            if ($status['reloads'] >= $count && \count($status['workers']) === 1) {
                return;
            }
        }
        self::fail('no reload came to an end');
    }
}
