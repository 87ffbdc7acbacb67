<?php

/**
 * One client of one peer: php client.php PEER ADDRESS, told what to do line by line on its standard input.
 *
 *     prepare W1     makes the workload ready and warms up, unless it is that already; answers {"ready": true}
 *     run 0.2        repeats it for so many seconds; answers what Clock::measure() gives
 *
 * Each answer is a line of JSON; {"error": "..."} says why there is none.
 */

declare(strict_types=1);

namespace Benches;

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Benches\\')) {
        require __DIR__ . '/' . strtr(substr($class, \strlen('Benches\\')), '\\', '/') . '.php';
    }
});

[, $name, $address] = $argv;
$workloads = null;
$prepared = null;
$operation = null;
while (($line = fgets(STDIN)) !== false) {
    try {
        [$command, $argument] = explode(' ', trim($line));
        if ($command === 'prepare') {
            $workloads ??= new Workloads(match ($name) {
                'json' => new Peers\JsonSocket($address),
                'msgpack' => new Peers\MessagePackSocket($address),
                'http' => new Peers\HttpJson($address),
                'phpy' => new Peers\Phpy($address),
                'tortoise' => new Peers\Tortoise('shared memory'),
                'tortoise-unix' => new Peers\Tortoise('unix socket'),
                'tortoise-tcp' => new Peers\Tortoise('tcp socket'),
            });
            if ($prepared !== $argument) {
                $operation = $workloads->prepare($argument);
                Clock::warmUp($operation);
                $prepared = $argument;
            }
            $answer = ['ready' => true];
        } else {
            $answer = Clock::measure($operation, (float) $argument);
        }
    } catch (\Throwable $error) {
        $answer = ['error' => $error::class . ': ' . $error->getMessage()];
    }
    echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR), "\n";
}
