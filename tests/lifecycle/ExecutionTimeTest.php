<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** PHP's `max_execution_time` counts what PHP computes, and not what it waits; when it is over the session lets go. */
final class ExecutionTimeTest extends TestCase
{
    private const CLASSES = ['Nap.py' => <<<'PY'
        import os, time

        class Nap:
            def pid(self): return os.getpid()
            def sleep(self, seconds):
                time.sleep(seconds)
                return "rested"
        PY];

    public function testAWaitIsNoExecutionTime(): void
    {
        $result = self::php(
            Script::ATTEMPT . '$o = new Nap(); attempt(fn() => $o->sleep(1.5)); attempt(fn() => $o->sleep(0));',
            ['max_execution_time' => '1'],
            self::CLASSES,
        );
        self::assertSame("value: \"rested\"\nvalue: \"rested\"\n", $result->cleanOutput());
    }

    public function testWhenItIsOverTheSessionLetsGo(): void
    {
        $result = self::php(
            '$o = new Nap(); echo $o->pid(), "\n"; for (;;) { $o->sleep(0); for ($i = 0; $i < 1_000_000; ++$i) {} }',
            ['max_execution_time' => '1'],
            self::CLASSES,
        );
        self::assertSame(255, $result->exitCode);
        self::assertStringContainsString('Maximum execution time of 1 second exceeded', $result->errors);
        Processes::awaitEnd((int) $result->output);
    }
}
