<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** Pieces of the scripts that tests run in a PHP of their own. */
final class Script
{
    /**
     * `attempt(fn)` prints the value of a call as JSON, or the class and the message of what it threw, on one line.
     */
    public const ATTEMPT = <<<'PHP'
        function attempt(callable $call): void
        {
            try {
                $line = 'value: ' . json_encode($call());
            } catch (Throwable $error) {
                $line = $error::class . ': ' . strtr($error->getMessage(), "\n", '|');
            }
            echo $line, "\n";
        }

        PHP;
}
