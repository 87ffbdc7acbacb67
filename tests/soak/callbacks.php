<?php

/*
 * callbacks.php ROUNDS: so many round trips with callbacks and exceptions in both directions, after which neither side may have
 * more memory than after a quarter of them.
 *
 * Run by `make soak`. Ends with 1 if anything was not as it must be.
 */

declare(strict_types=1);

/** How much more memory a side may have at the end than after a quarter. */
const GROWTH_KILOBYTES = 2048;

/** What Python holds of PHP, and PHP of Python, at the end: the objects that are used all the time. */
const HELD = 4;

/** @return array{int, int} Private kilobytes of PHP and of the session */
function memory(int $session): array
{
    return array_map(static function (int|string $process): int {
        preg_match('/^Pss_Anon:\s+(\d+) kB$/m', (string) file_get_contents("/proc/{$process}/smaps_rollup"), $found);
        return (int) $found[1];
    }, [getmypid(), $session]);
}

function fail(string $message): never
{
    fwrite(STDERR, "soak: {$message}\n");
    exit(1);
}

function expect(mixed $found, mixed $expected, int $round): void
{
    if ($found !== $expected) {
        fail(sprintf('round %d: %s where %s was due', $round, var_export($found, true), var_export($expected, true)));
    }
}

final class Counter implements Countable
{
    public int $n = 0;

    public function count(): int
    {
        return $this->n;
    }

    public function more(int $by): static
    {
        $this->n += $by;
        return $this;
    }
}

$rounds = (int) $argv[1];
$object = new Soaked();
$session = $object->pid();
$begin = $shown = hrtime(true);
$quarter = [0, 0];
for ($round = 0; $round < $rounds; $round++) {
    switch ($round % 6) {
        case 0:
            expect($object->call(static fn(int $n): int => $n + 1, $round), $round + 1, $round);
            break;
        case 1:
            // A closure that calls Python, which calls a closure.
            expect($object->call(static fn(int $n): mixed => $object->call(static fn(int $n): int => -$n, $n), $round), -$round, $round);
            break;
        case 2:
            $thrown = new DomainException((string) $round);
            try {
                $object->call(static fn(): never => throw $thrown);
                fail("round {$round}: nothing was thrown");
            } catch (DomainException $e) {
                expect($e, $thrown, $round);
            }
            break;
        case 3:
            expect($object->caught(static fn(): never => throw new LogicException("no {$round}")), "LogicException: no {$round}", $round);
            break;
        case 4:
            // An exception of Python passes through PHP.
            try {
                $object->call(static fn(): mixed => $object->fail("{$round}"));
                fail("round {$round}: nothing was raised");
            } catch (Tortoise\Python\KeyError $e) {
                expect($e->getMessage(), "'{$round}'", $round);
            }
            break;
        case 5:
            $counter = new Counter();
            expect($object->counted($counter), $counter, $round);
            expect($counter->n, 3, $round);
            break;
    }
    if ($round === intdiv($rounds, 4)) {
        gc_collect_cycles();
        $quarter = memory($session);
    }
    $now = hrtime(true);
    if ($now > $shown + 10e9) {
        $shown = $now;
        fprintf(STDERR, "callbacks: %d of %d, %s KiB\n", $round, $rounds, implode(' and ', memory($session)));
    }
}
unset($e, $thrown, $counter);
gc_collect_cycles();
$object->pid();
$end = memory($session);
$status = Tortoise\status();
printf(
    "callbacks: %d round trips in %.0f s; KiB of PHP %d after a quarter, then %d; of Python %d, then %d; PHP holds %d objects, Python %d\n",
    $rounds,
    (hrtime(true) - $begin) / 1e9,
    $quarter[0],
    $end[0],
    $quarter[1],
    $end[1],
    $status['objects'],
    $status['exports'],
);
foreach ([0, 1] as $side) {
    if ($end[$side] > $quarter[$side] + GROWTH_KILOBYTES) {
        fail('the memory of ' . ['PHP', 'Python'][$side] . ' grows');
    }
}
if (max($status['objects'], $status['exports']) > HELD) {
    fail('objects are left');
}
