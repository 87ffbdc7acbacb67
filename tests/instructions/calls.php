<?php

/*
 * calls.php WORKLOAD TIMES: makes one kind of call so many times.
 */

declare(strict_types=1);

[, $workload, $times] = $argv;
$object = new Counted();
$rows = $object->rows();
$floats = $object->floats();
$call = match ($workload) {
    'null' => static fn(int $i) => $object->noop(),
    'small' => static fn(int $i) => $object->small($i, 'abcdefghabcdefghabcdefghabcdefgh'),
    'rows-out' => static fn(int $i) => $object->rows(),
    'rows-in' => static fn(int $i) => $object->take($rows),
    'floats-out' => static fn(int $i) => $object->floats(),
    'floats-in' => static fn(int $i) => $object->take($floats),
    'object' => static fn(int $i) => $object->me(),
    'construct' => static fn(int $i) => new Counted(),
};
for ($i = 0; $i < (int) $times; $i++) {
    $call(1000 + $i % 100);
}
