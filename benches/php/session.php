<?php

/**
 * A PHP that comes to its session: php session.php, told what to do by a line on its standard input.
 *
 *     call      connects and makes a call
 *     object    connects and makes an object of a class
 *
 * Answers with a line of JSON: how many microseconds that took, and the session's process. Stays until its input ends.
 */

declare(strict_types=1);

$what = trim((string) fgets(STDIN));
$answer = [];
try {
    $begin = hrtime(true);
    $first = $what === 'call' ? Tortoise\import('math') : new Page_Customer(7);
    $answer['first'] = (hrtime(true) - $begin) / 1e3;
    $answer['session'] = (int) Tortoise\status()['session'];
} catch (\Throwable $error) {
    $answer['error'] = $error::class . ': ' . $error->getMessage();
}
echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR), "\n";
fgets(STDIN);
