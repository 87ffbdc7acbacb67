<?php

declare(strict_types=1);

namespace Tortoise\Tests\Service;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** SIGTERM lets what runs end, for a bounded time. */
final class DrainTest extends TestCase
{
    private const CLASSES = ['Reader.py' => <<<'PY'
        import os


        class Reader:
            def pid(self) -> int:
                return os.getpid()

            def read(self, file: str) -> str:
                with open(file + ".begun", "w") as begun:
                    begun.write("begun")
                with open(file) as stream:
                    return stream.read()
        PY];

    private Sidecar $sidecar;

    private string $fifo;

    public function testSigtermDrainsARunningCall(): void
    {
        $php = $this->startReading(['--drain', '60']);
        $idle = self::startPhp('new Reader(); echo "ready\n"; fgets(STDIN);', ['tortoise.server' => $this->sidecar->address]);
        $idle->readLine();
        $this->sidecar->signal(\SIGTERM);
        $this->sidecar->awaitLine('/drain|leav|stop/i');
        $refused = self::php(Script::ATTEMPT . 'attempt(fn() => new Reader());', ['tortoise.server' => $this->sidecar->address]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $refused->cleanOutput());
        file_put_contents($this->fifo, 'to the end');
        self::assertSame('value: "to the end"', $php->readLine());
        $idle->writeLine();
        foreach ([$php, $idle] as $process) {
            $process->wait()->cleanOutput();
        }
        self::assertSame(0, $this->sidecar->wait()->exitCode);
    }

    public function testWhatTakesLongerThanTheDrainIsEnded(): void
    {
        $php = $this->startReading(['--drain', '1']);
        $this->sidecar->signal(\SIGTERM);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $php->readLine());
        $php->wait()->cleanOutput();
        self::assertSame(0, $this->sidecar->wait()->exitCode);
    }

    public function testTheSecondSigtermEndsAtOnce(): void
    {
        $php = $this->startReading(['--drain', '600']);
        $this->sidecar->signal(\SIGTERM);
        $this->sidecar->awaitLine('/drain|leav|stop/i');
        $this->sidecar->signal(\SIGTERM);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $php->readLine());
        $php->wait()->cleanOutput();
        Processes::awaitEnd($this->sidecar->pid());
    }

    /** @param list<string> $arguments */
    private function startReading(array $arguments): PhpProcess
    {
        $this->fifo = self::sandbox()->path('fifo');
        posix_mkfifo($this->fifo, 0o600);
        posix_mkfifo("{$this->fifo}.begun", 0o600);
        $this->sidecar = new Sidecar(self::sandbox(), $arguments);
        $code = Script::ATTEMPT . '$o = new Reader(); attempt(fn() => $o->read(' . var_export($this->fifo, true) . '));';
        $php = self::startPhp($code, ['tortoise.server' => $this->sidecar->address], self::CLASSES);
        self::assertSame('begun', file_get_contents("{$this->fifo}.begun"));

        return $php;
    }
}
