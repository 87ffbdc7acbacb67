<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** Looks at processes of this machine, and waits for what they do. */
final class Processes
{
    /**
     * Waits until processes are gone (or zombies, which their parent has yet to bury).
     *
     * @throws \PHPUnit\Framework\AssertionFailedError if they are still there
     */
    public static function awaitEnd(int ...$processes): void
    {
        self::await('gone', ...array_map('strval', $processes));
    }

    /**
     * Waits until a file that exists holds a text.
     *
     * @throws \PHPUnit\Framework\AssertionFailedError with what it holds, if it does not
     */
    public static function awaitText(string $file, string $text): void
    {
        self::await('holds', $file, $text);
    }

    /** Whether it runs: it is there and no zombie. */
    public static function runs(int $process): bool
    {
        return !\in_array(self::stat($process)[0], ['', 'Z', 'X'], true);
    }

    /** @throws \PHPUnit\Framework\AssertionFailedError if the process is gone */
    public static function parentOf(int $process): int
    {
        $parent = (int) (self::stat($process)[1] ?? 0);
        \PHPUnit\Framework\Assert::assertGreaterThan(0, $parent, "process {$process} is gone");

        return $parent;
    }

    /** Sends a signal to one process: never to a group, which is what the system takes 0 and below for. */
    public static function signal(int $process, int $signal): void
    {
        \PHPUnit\Framework\Assert::assertGreaterThan(1, $process, 'no process to send a signal to');
        posix_kill($process, $signal);
    }

    /** Kills a process and waits for its end. */
    public static function kill(int $process): void
    {
        self::signal($process, \SIGKILL);
        self::awaitEnd($process);
    }

    /** How many file descriptors it has open. */
    public static function descriptors(int $process): int
    {
        return \count(array_diff((array) scandir("/proc/{$process}/fd"), ['.', '..']));
    }

    /** KiB of memory that are its own: not shared with the process that it was forked from. */
    public static function privateKilobytes(int $process): int
    {
        preg_match_all('/^Private_\w+: +(\d+) kB$/m', (string) file_get_contents("/proc/{$process}/smaps_rollup"), $found);

        return (int) array_sum($found[1]);
    }

    /**
     * The processes whose command line holds a text.
     *
     * @return list<int>
     */
    public static function withCommandLine(string $text): array
    {
        $found = [];
        foreach ((array) glob('/proc/[0-9]*', \GLOB_NOSORT) as $directory) {
            // It may be gone by now.
            $line = strtr((string) @file_get_contents("{$directory}/cmdline"), "\0", ' ');
            $process = (int) basename((string) $directory);
            if (str_contains($line, $text) && $process !== getmypid() && self::runs($process)) {
                $found[] = $process;
            }
        }

        return $found;
    }

    private static function await(string $question, string ...$words): void
    {
        $command = [(string) getenv('TORTOISE_PYTHON'), '-IS', __DIR__ . '/await.py', '30', $question, ...$words];
        $result = (new PhpProcess($command, '/', getenv()))->wait();
        \PHPUnit\Framework\Assert::assertSame(0, $result->exitCode, $result->errors);
    }

    /** @return list<string> what stands behind the name in /proc/PID/stat: the state, the parent, … */
    private static function stat(int $process): array
    {
        $stat = (string) @file_get_contents("/proc/{$process}/stat");

        return explode(' ', ltrim(substr($stat, (int) strrpos($stat, ')') + 1)));
    }
}
