<?php

/*
 * soak.php SECONDS [-d SETTING ...]: values of every awkward size to and fro at full rate, compared; then the session is killed.
 *
 * The settings are those of this PHP, for another one. Run by `make soak`. Ends with 1 if anything was not as it must be.
 */

declare(strict_types=1);

/** Where something changes: a word, a cache line, a page, the least segments of both sides, what is sent in a piece, the ring. */
const BOUNDARIES = [0, 8, 16, 32, 64, 256, 4096, 16384, 32768, 65536, 131072, 1048576, 2097152];

/** How much more memory a side may have in the last quarter than in the second, by the median: a few of the largest values. */
const GROWTH_KILOBYTES = 8192;

/** The promise to whoever waits for a session that is dead. */
const SEEN_WITHIN_SECONDS = 0.1;

function size(): int
{
    return max(0, BOUNDARIES[random_int(0, count(BOUNDARIES) - 1)] + random_int(-33, 33));
}

/** What is sent in a round, and must come back the same. */
function value(): mixed
{
    $size = size();
    return match (random_int(0, 5)) {
        0 => str_repeat('text', intdiv($size, 4)) . 'é',
        1 => "\xff" . str_repeat("\x00\x9f", intdiv($size, 2)),
        2 => array_fill(0, intdiv($size, 8), 1 / random_int(1, 9)),
        3 => array_fill(0, intdiv($size, 8), random_int(PHP_INT_MIN, PHP_INT_MAX)),
        4 => array_fill(0, intdiv($size, 64), ['id' => random_int(0, 1 << 40), 'name' => 'a row', 'score' => 0.5, 'ok' => true, 'none' => null]),
        5 => ['a' => str_repeat('x', $size), 'b' => [str_repeat('y', intdiv($size, 3)), 1.5], 'c' => array_fill(0, 20, 2.5)],
    };
}

/** @return array{int, int} Private kilobytes of PHP and of the session */
function memory(int $session): array
{
    return array_map(static function (int|string $process): int {
        preg_match('/^Pss_Anon:\s+(\d+) kB$/m', (string) file_get_contents("/proc/{$process}/smaps_rollup"), $found);
        return (int) $found[1];
    }, [getmypid(), $session]);
}

/** @param list<int> $numbers */
function median(array $numbers): int
{
    sort($numbers);
    return $numbers[intdiv(count($numbers), 2)];
}

function fail(string $message): never
{
    fwrite(STDERR, "soak: {$message}\n");
    exit(1);
}

ini_set('memory_limit', '1G');
$seconds = (float) $argv[1];
$object = new Soaked();
$session = $object->pid();
$channel = Tortoise\status()['channel'];
$begin = $shown = hrtime(true);
$end = $begin + (int) ($seconds * 1e9);
[$rounds, $samples] = [0, []];
do {
    $value = value();
    $back = $object->back($value);
    if ($back !== $value) {
        fail("round {$rounds} over {$channel}: what came back is not what was sent");
    }
    $size = size();
    $seed = random_int(0, 99);
    $block = hash('sha256', (string) $seed, true);
    if ($object->made($size, $seed) !== substr(str_repeat($block, intdiv($size, 32) + 1), 0, $size)) {
        fail("round {$rounds} over {$channel}: {$size} bytes of seed {$seed} are others");
    }
    unset($value, $back);
    $rounds++;
    $now = hrtime(true);
    $quarter = (int) (4 * ($now - $begin) / ($end - $begin));
    if ($rounds % 100 === 0) {
        $samples[$quarter][] = memory($session);
    }
    if ($now > $shown + 10e9) {
        $shown = $now;
        fprintf(STDERR, "%s: %.0f of %.0f s, %d rounds, %s KiB\n", $channel, ($now - $begin) / 1e9, $seconds, $rounds, implode(' and ', memory($session)));
    }
} while ($now < $end);
[$before, $after] = array_map(static fn(int $quarter): array => [
    median(array_column($samples[$quarter], 0)), median(array_column($samples[$quarter], 1)),
], [1, 3]);
printf("%s: %d rounds, no mismatch; KiB of PHP %d, then %d; of Python %d, then %d\n", $channel, $rounds, $before[0], $after[0], $before[1], $after[1]);
foreach ([0, 1] as $side) {
    if ($after[$side] > $before[$side] + GROWTH_KILOBYTES) {
        fail('the memory of ' . ['PHP', 'Python'][$side] . ' grows');
    }
}

// A process of its own kills the session while it is in a call, and says when.
foreach ([true, false] as $isInCall) {
    $object = new Soaked();
    $session = $object->pid();
    $pipe = popen("sleep 0.3; date +%s%N; kill -9 {$session}", 'r');
    if (!$isInCall) {
        // The goodbye comes while nobody calls; the next call must see it.
        $killed = (int) fgets($pipe);
        pclose($pipe);
        $killed = (int) (microtime(true) * 1e9);
    }
    try {
        $isInCall ? $object->wait() : $object->pid();
        fail('the session was killed and the call succeeded');
    } catch (Tortoise\ConnectionException $e) {
        $seen = (int) (microtime(true) * 1e9);
    }
    if ($isInCall) {
        $killed = (int) fgets($pipe);
        pclose($pipe);
    }
    printf("%s: a session killed %s a call is seen after %.1f ms\n", $channel, $isInCall ? 'in' : 'before', ($seen - $killed) / 1e6);
    if ($seen - $killed > SEEN_WITHIN_SECONDS * 1e9) {
        fail('that is too late');
    }
}
echo (new Soaked())->back('and the next one serves'), "\n";

// And the other way round: a PHP that is killed at full rate leaves no session behind.
$php = proc_open([PHP_BINARY, '-n', ...array_slice($argv, 2), '-r', '$o = new Soaked(); echo $o->pid(), "\n"; for (;;) { $o->back(1); }'], [1 => ['pipe', 'w']], $pipes);
$session = (int) fgets($pipes[1]);
$killed = hrtime(true);
proc_terminate($php, 9);
while (file_exists("/proc/{$session}") && !preg_match('/^State:\s+Z/m', (string) @file_get_contents("/proc/{$session}/status"))) {
    if (hrtime(true) > $killed + 20e9) {
        fail('the session of a PHP that was killed is still there');
    }
}
$gone = (hrtime(true) - $killed) / 1e6;
printf("%s: the session of a PHP that was killed is gone after %.1f ms\n", $channel, $gone);
if ($gone > SEEN_WITHIN_SECONDS * 1e3) {
    fail('that is too late');
}
