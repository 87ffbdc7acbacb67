<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** Interpreters for the sessions of tests. */
final class Python
{
    private static string|null|false $withNumpy = false;

    /** An interpreter that has numpy: the one that TORTOISE_NUMPY_PYTHON names, or that of the tests; null if none has it. */
    public static function withNumpy(): ?string
    {
        if (self::$withNumpy === false) {
            self::$withNumpy = null;
            $venv = \dirname(__DIR__, 2) . '/.build/venv/bin/python';
            foreach ([getenv('TORTOISE_NUMPY_PYTHON'), $venv, getenv('TORTOISE_PYTHON')] as $python) {
                if (\is_string($python) && is_executable($python)
                    && (new PhpProcess([$python, '-c', 'import numpy'], '/', getenv()))->wait()->exitCode === 0) {
                    self::$withNumpy = $python;
                    break;
                }
            }
        }

        return self::$withNumpy;
    }
}
