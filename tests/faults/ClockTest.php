<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Somebody sets the clock while all is running: no deadline is missed, and none comes early. */
final class ClockTest extends TestCase
{
    private const CLASSES = ['Watch.py' => <<<'PY'
        import time

        class Watch:
            def now(self): return int(time.time())
            def wait_for(self, fifo):
                with open(fifo + ".begun", "w") as begun:
                    begun.write("begun")
                with open(fifo) as pipe:
                    return pipe.read()
        PY];

    /** @dataProvider jumps */
    public function testTheClockJumps(int $seconds): void
    {
        $clock = self::sandbox()->path('clock');
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        posix_mkfifo("{$fifo}.begun", 0o600);
        $environment = ['LD_PRELOAD' => self::preloaded(), 'TORTOISE_TEST_CLOCK' => $clock];
        // All of these are less than the jump.
        $sidecar = new Sidecar(self::sandbox(), ['--idle-exit', '600', '--max-age', '600', '--drain', '600'], environment: $environment);
        $php = self::startPhp(
            Script::ATTEMPT . '$o = new Watch(); $fifo = ' . var_export($fifo, true) . ';'
                . 'echo json_encode([Tortoise\status()["session"], time(), $o->now()]), "\n";'
                . 'attempt(fn() => $o->wait_for($fifo));'
                . 'echo json_encode([Tortoise\status()["session"], time(), $o->now()]), "\n";'
                . 'ini_set("tortoise.timeout", "0.3"); attempt(fn() => $o->wait_for($fifo));'
                . 'attempt(fn() => (new Watch())->now() > 0);',
            ['tortoise.server' => $sidecar->address, 'tortoise.timeout' => '600'],
            self::CLASSES,
            $environment,
        );
        [$session, $phpBefore, $pythonBefore] = json_decode($php->readLine());
        self::assertSame('begun', file_get_contents("{$fifo}.begun"));
        file_put_contents($clock, (string) $seconds);
        file_put_contents($fifo, 'written after the jump');
        self::assertSame('value: "written after the jump"', $php->readLine());
        [$sessionAfter, $phpAfter, $pythonAfter] = json_decode($php->readLine());
        self::assertSame($session, $sessionAfter);
        self::assertEqualsWithDelta($phpBefore + $seconds, $phpAfter, 300, 'the clock of PHP has jumped');
        self::assertEqualsWithDelta($pythonBefore + $seconds, $pythonAfter, 300, 'the clock of Python has jumped');
        // A deadline after the jump is no hour away.
        self::assertSame('begun', file_get_contents("{$fifo}.begun"));
        self::assertStringStartsWith('Tortoise\TimeoutException: ', $php->readLine());
        self::assertSame('value: true', $php->readLine());
        $php->wait()->cleanOutput();
        Processes::awaitEnd((int) $session);
        // What the supervisor waits for does not take an hour either.
        $sidecar->signal(\SIGTERM);
        self::assertSame(0, $sidecar->wait()->exitCode);
    }

    /** @return array<string, array{int}> */
    public static function jumps(): array
    {
        return ['an hour forward' => [3600], 'an hour back' => [-3600]];
    }

    private static function preloaded(): string
    {
        $library = self::sandbox()->path('jumping_clock.so');
        $command = ['cc', '-shared', '-fPIC', '-O1', '-o', $library, __DIR__ . '/jumping_clock.c'];
        $compiled = (new PhpProcess($command, '/', getenv()))->wait();
        self::assertSame(0, $compiled->exitCode, (string) $compiled);

        return $library;
    }
}
