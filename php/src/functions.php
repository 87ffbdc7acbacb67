<?php

declare(strict_types=1);

namespace Tortoise;

/**
 * Calls a function of a script in a class root, as old applications did: `exchange('tools/h', 'hello', ['you'])`.
 *
 * As it was then, numbers and booleans reach Python as texts, which the scripts convert. New code has `Tortoise\call()`.
 *
 * @param string $entry path of the script below a class root, without `.py`
 * @param string $func name of the function
 * @param array<mixed> $param arguments in their order; those with names are Python's keyword arguments
 *
 * @throws AccessException if there is no such script, or the function is private
 * @throws PythonException what the function raises
 */
function exchange(string $entry, string $func, array $param = []): mixed
{
    $texts = array_map(static fn (mixed $value): mixed => \is_scalar($value) ? (string) $value : $value, $param);

    return call($entry, $func, ...$texts);
}
