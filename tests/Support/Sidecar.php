<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** `tortoise serve` in the foreground: what it logs can be read line by line. */
final class Sidecar
{
    /** The address, as `tortoise.server` takes it. */
    public readonly string $address;

    private readonly PhpProcess $process;

    /** @var list<string> */
    private array $lines = [];

    /**
     * Starts it on a socket in the sandbox, with the sandbox's class root unless told otherwise, and waits until it is
     * ready.
     *
     * @param list<string> $arguments
     * @param array<string, string> $environment
     */
    public function __construct(
        private readonly Sandbox $sandbox,
        array $arguments = [],
        ?string $path = null,
        array $environment = [],
        string $socket = 'serve.sock',
    ) {
        $this->address = 'unix://' . $sandbox->path($socket);
        $this->process = $sandbox->run(
            [
                // It logs to its standard error.
                'sh', '-c', 'exec "$0" "$@" 2>&1',
                self::binary(), 'serve', '--listen', $this->address, '--path', $path ?? $sandbox->classes, ...$arguments,
            ],
            $environment,
        );
        $this->awaitLine('/ready: listening/');
    }

    /** The binary that stands beside the extension under test. */
    public static function binary(): string
    {
        return \dirname((string) getenv('TORTOISE_EXTENSION')) . '/bin/tortoise';
    }

    /** Runs a command for it, such as `status`, to its end. */
    public function ask(string ...$command): ProcessResult
    {
        return $this->sandbox->run([self::binary(), ...$command, '--address', $this->address])->wait();
    }

    /** @return array<string, mixed> all that `tortoise status --json` says */
    public function status(): array
    {
        return json_decode($this->ask('status', '--json')->cleanOutput(), true, 512, \JSON_THROW_ON_ERROR);
    }

    public function pid(): int
    {
        return $this->process->pid;
    }

    public function socket(): string
    {
        return substr($this->address, \strlen('unix://'));
    }

    /** Waits for the next line of the log that matches, and gives it. */
    public function awaitLine(string $pattern): string
    {
        do {
            $this->lines[] = $line = $this->process->readLine();
        } while (!preg_match($pattern, $line));

        return $line;
    }

    /** What was logged up to the last line waited for. */
    public function log(): string
    {
        return implode("\n", $this->lines);
    }

    /** Sends a signal, such as SIGTERM. */
    public function signal(int $signal): void
    {
        $this->process->signal($signal);
    }

    /** Waits for its end and gives all that it logged. */
    public function wait(): ProcessResult
    {
        return $this->process->wait();
    }
}
