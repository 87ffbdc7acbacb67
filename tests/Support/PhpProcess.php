<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** A running process, its two outputs read as they come. */
final class PhpProcess
{
    /** @var resource */
    private $process;

    /** @var resource what the process reads as its standard input */
    private $input;

    /** @var array<int, resource> the pipes that are still open: 1 and 2 */
    private array $pipes;

    /** @var array<int, string> what came through each */
    private array $received = [1 => '', 2 => ''];

    /** How much of the output {@see readLine} has given out. */
    private int $read = 0;

    private ?ProcessResult $result = null;

    /** Known before {@see wait} if the process ended at once. */
    private ?int $exitCode = null;

    public readonly int $pid;

    /**
     * @param list<string> $command
     * @param array<string, string> $environment
     */
    public function __construct(array $command, string $directory, array $environment)
    {
        $descriptors = [0 => ['pipe', 'r'], 1 => ['pipe', 'w'], 2 => ['pipe', 'w']];
        $process = proc_open($command, $descriptors, $pipes, $directory, $environment);
        if ($process === false) {
            throw new \RuntimeException("cannot start {$command[0]}");
        }
        $this->process = $process;
        $this->input = $pipes[0];
        $this->pipes = [1 => $pipes[1], 2 => $pipes[2]];
        // A process that has ended already is reaped by this look at it.
        $status = proc_get_status($process);
        $this->pid = $status['pid'];
        if (!$status['running']) {
            $this->exitCode = $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'];
        }
    }

    /** Sends a line to the script's standard input: the way to tell it to go on. */
    public function writeLine(string $line = ''): void
    {
        fwrite($this->input, "{$line}\n");
    }

    /**
     * Waits for the next whole line of the script's output, and gives it without its end.
     *
     * @throws \RuntimeException if the output ends, or the time is over, before one came
     */
    public function readLine(float $seconds = 60.0): string
    {
        $deadline = microtime(true) + $seconds;
        while (($end = strpos($this->received[1], "\n", $this->read)) === false) {
            if (!isset($this->pipes[1])) {
                throw new \RuntimeException("the script ended without a further line\n{$this->wait($seconds)}");
            }
            $this->receive($deadline);
        }
        $line = substr($this->received[1], $this->read, $end - $this->read);
        $this->read = $end + 1;

        return $line;
    }

    /**
     * Closes the script's standard input and waits for its end.
     *
     * @throws \RuntimeException if the time is over before; the process is killed then
     */
    public function wait(float $seconds = 60.0): ProcessResult
    {
        if ($this->result !== null) {
            return $this->result;
        }
        if (is_resource($this->input)) {
            fclose($this->input);
        }
        $deadline = microtime(true) + $seconds;
        while ($this->pipes !== []) {
            $this->receive($deadline);
        }
        // Both outputs are closed, so the process is at its end.
        $exitCode = $this->exitCode ?? $this->reap();
        proc_close($this->process);

        return $this->result = new ProcessResult($this->received[1], $this->received[2], $exitCode);
    }

    /** Waits for the end of the process. (proc_close would not tell a signal from an exit code.) */
    private function reap(): int
    {
        if (pcntl_waitpid($this->pid, $status) !== $this->pid) {
            throw new \RuntimeException("cannot wait for process {$this->pid}: " . pcntl_strerror(pcntl_get_last_error()));
        }

        return pcntl_wifsignaled($status) ? 128 + pcntl_wtermsig($status) : pcntl_wexitstatus($status);
    }

    /** Takes in what has come so far, so that the process does not wait for a reader. */
    public function drain(): void
    {
        while ($this->pipes !== [] && $this->readable(0.0) !== []) {
            $this->receive(microtime(true) + 1);
        }
    }

    /** Sends a signal, such as SIGKILL. */
    public function signal(int $signal): void
    {
        proc_terminate($this->process, $signal);
    }

    /** Ends it if nobody has seen its end. */
    public function kill(): void
    {
        if ($this->result === null) {
            $this->signal(9);
            $this->wait();
        }
    }

    /** Waits for output on either pipe, and keeps it. */
    private function receive(float $deadline): void
    {
        $left = $deadline - microtime(true);
        $readable = $left > 0 ? $this->readable($left) : [];
        if ($readable === []) {
            $this->signal(9);
            throw new \RuntimeException(
                "the script took too long and was killed\noutput: {$this->received[1]}\nerrors: {$this->received[2]}",
            );
        }
        foreach ($readable as $number => $pipe) {
            $bytes = fread($pipe, 65536);
            if ($bytes === '' || $bytes === false) {
                fclose($pipe);
                unset($this->pipes[$number]);
            } else {
                $this->received[$number] .= $bytes;
            }
        }
    }

    /** @return array<int, resource> the pipes that have output, or an end, within the time */
    private function readable(float $seconds): array
    {
        $readable = $this->pipes;
        $none = null;

        return stream_select($readable, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6)) ? $readable : [];
    }
}
