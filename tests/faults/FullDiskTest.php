<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Files that cannot be written: what must be there is named and nothing starts; what is only nice to have is done without. */
final class FullDiskTest extends TestCase
{
    public function testALogThatCannotBeWrittenStopsNobody(): void
    {
        $log = $this->full('log');
        $pidFile = self::sandbox()->path('tortoise.pid');
        $started = $this->start('--log-file', $log, '--pid-file', $pidFile);
        self::assertSame(0, $started->exitCode, (string) $started);
        $sidecar = (int) file_get_contents($pidFile);
        $php = self::php(
            Script::ATTEMPT . 'attempt(fn() => (new Loud())->shout(1000)); attempt(fn() => (new Loud())->shout(1));',
            ['tortoise.server' => $this->address()],
            ['Loud.py' => "import sys\nclass Loud:\n    def shout(self, lines):\n        print('loud\\n' * lines)\n        return lines\n"],
        );
        self::assertSame("value: 1000\nvalue: 1\n", $php->cleanOutput());
        $stopped = self::sandbox()->run([Sidecar::binary(), 'stop', '--address', $this->address()])->wait();
        self::assertSame(0, $stopped->exitCode, (string) $stopped);
        Processes::awaitEnd($sidecar);
    }

    public function testAPidFileThatCannotBeWrittenIsNamed(): void
    {
        foreach ([$this->full('pid'), self::sandbox()->path('nowhere/tortoise.pid'), '/sys/tortoise.pid'] as $file) {
            $started = $this->start('--log-file', self::sandbox()->path('log'), '--pid-file', $file);
            self::assertNotSame(0, $started->exitCode);
            self::assertStringContainsString($file, $started->errors);
            self::assertFileDoesNotExist(substr($this->address(), \strlen('unix://')), 'nobody listens');
        }
    }

    public function testALogFileThatCannotBeMadeIsNamed(): void
    {
        foreach ([self::sandbox()->path('nowhere/log'), '/sys/tortoise.log'] as $file) {
            $started = $this->start('--log-file', $file);
            self::assertNotSame(0, $started->exitCode);
            self::assertStringContainsString($file, $started->errors);
        }
    }

    /** The call is ended all the same, and the next one works. */
    public function testASlowLogThatCannotBeWritten(): void
    {
        $sidecar = new Sidecar(self::sandbox(), ['--slow-log', $this->full('slow'), '--grace', '1']);
        $php = self::php(
            Script::ATTEMPT . 'attempt(fn() => (new Busy())->spin()); attempt(fn() => (new Busy())->echo(1));',
            ['tortoise.server' => $sidecar->address, 'tortoise.timeout' => '0.3'],
            ['Busy.py' => "class Busy:\n    def spin(self):\n        while True: pass\n    def echo(self, value): return value\n"],
        );
        $lines = explode("\n", $php->cleanOutput());
        self::assertStringStartsWith('Tortoise\TimeoutException: ', $lines[0]);
        self::assertSame('value: 1', $lines[1]);
        $sidecar->signal(\SIGTERM);
        self::assertSame(0, $sidecar->wait()->exitCode);
    }

    private function start(string ...$arguments): ProcessResult
    {
        $command = [Sidecar::binary(), 'start', '--listen', $this->address(), '--path', self::sandbox()->classes, ...$arguments];

        return self::sandbox()->run($command)->wait();
    }

    private function address(): string
    {
        return 'unix://' . self::sandbox()->path('full.sock');
    }

    /** A file of this name that takes nothing, as on a disk without room: a device of our own, made like /dev/full. */
    private function full(string $name): string
    {
        $file = self::sandbox()->path($name);
        if (!@posix_mknod($file, \POSIX_S_IFCHR | 0o600, 1, 7)) {
            self::markTestSkipped('only root can make a device');
        }

        return $file;
    }
}
