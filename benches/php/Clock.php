<?php

declare(strict_types=1);

namespace Benches;

/** How long an operation takes, and how much of the CPU. */
final class Clock
{
    /** An operation that takes less than so many nanoseconds is timed in batches: looking at the clock would count. */
    private const QUICK = 20_000;
    private const BATCH = 100;

    private const WARM_UP_SECONDS = 0.03;
    private const WARM_UP_OPERATIONS = 300;

    /** More samples say no more, and take memory. */
    private const MOST_SAMPLES = 500_000;

    private static bool $isQuick = false;

    /** Repeats it until caches are warm and the channels have adapted, and learns whether it is quick. */
    public static function warmUp(\Closure $operation): void
    {
        $operation();
        $least = \PHP_INT_MAX;
        $stop = hrtime(true) + self::WARM_UP_SECONDS * 1e9;
        $count = 0;
        do {
            $start = hrtime(true);
            $operation();
            $end = hrtime(true);
            $least = min($least, $end - $start);
        } while ($end < $stop && ++$count < self::WARM_UP_OPERATIONS);
        self::$isQuick = $least < self::QUICK;
    }

    /**
     * Repeats it for so many seconds.
     *
     * The 99th percentile is of operations that were timed one by one. The median and the rate are too, unless the
     * operation is quick: then half of the time goes to batches, and the median is that of their averages.
     *
     * @return array{p50: float, p99: float, count: int, rate: float, cpu: float} microseconds, operations, operations
     *     a second, and CPU microseconds of this process for one operation
     */
    public static function measure(\Closure $operation, float $seconds): array
    {
        $cpu = self::cpu();
        $batches = self::$isQuick ? self::sample($operation, self::BATCH, $seconds / 2) : [];
        $single = self::sample($operation, 1, self::$isQuick ? $seconds / 2 : $seconds);
        $count = \count($batches) * self::BATCH + \count($single);
        $cpu = self::cpu() - $cpu;
        $samples = $batches ?: $single;
        $rate = \count($samples) / array_sum($samples) * 1e9;
        sort($single);
        sort($samples);

        return [
            'p50' => $samples[intdiv(\count($samples), 2)] / 1e3,
            'p99' => $single[intdiv(\count($single) * 99, 100)] / 1e3,
            'count' => $count,
            'rate' => $rate,
            'cpu' => $cpu / $count,
        ];
    }

    /** @return non-empty-list<float> nanoseconds of one operation */
    private static function sample(\Closure $operation, int $batch, float $seconds): array
    {
        $samples = [];
        $end = hrtime(true);
        $stop = $end + (int) ($seconds * 1e9);
        do {
            $start = hrtime(true);
            for ($i = 0; $i < $batch; ++$i) {
                $operation();
            }
            $end = hrtime(true);
            $samples[] = ($end - $start) / $batch;
        } while ($end < $stop && \count($samples) < self::MOST_SAMPLES);

        return $samples;
    }

    /** CPU microseconds of this process. */
    private static function cpu(): float
    {
        $usage = getrusage();

        return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1e6
            + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
    }
}
