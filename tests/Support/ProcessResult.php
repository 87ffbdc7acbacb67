<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** What a PHP process left behind. */
final class ProcessResult
{
    public function __construct(
        /** What it wrote to its standard output. */
        public readonly string $output,
        /** What it wrote to its standard error: PHP's own messages too. */
        public readonly string $errors,
        /** Its exit code; 128 and the signal's number if a signal ended it. */
        public readonly int $exitCode,
    ) {}

    /**
     * The output of a process that succeeded and had nothing to complain about.
     *
     * @throws \PHPUnit\Framework\AssertionFailedError with all that is known, if it did not
     */
    public function cleanOutput(): string
    {
        if ($this->exitCode !== 0 || $this->errors !== '') {
            throw new \PHPUnit\Framework\AssertionFailedError("The script failed.\n{$this}");
        }

        return $this->output;
    }

    public function __toString(): string
    {
        return "exit code: {$this->exitCode}\noutput: {$this->output}\nerrors: {$this->errors}";
    }
}
