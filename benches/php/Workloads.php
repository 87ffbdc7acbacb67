<?php

declare(strict_types=1);

namespace Benches;

/** What is measured, the same for every peer. Each operation looks whether its answer is right. */
final class Workloads
{
    private const ROWS = 1_000;
    private const FLOATS = 100_000;
    private const SUM_OF_FLOATS = 714_278_571.428;
    private const BYTES = 10_000_000;
    private const CALLS = 1_000;

    private readonly object $bench;

    public function __construct(private readonly Peer $peer)
    {
        $this->bench = $peer->create('Bench');
    }

    /** The workload as an operation that can be repeated. */
    public function prepare(string $name): \Closure
    {
        return match ($name) {
            'W1' => $this->nothing(),
            'W2' => $this->record(),
            'W3' => $this->rows(),
            'W4a' => $this->sum($this->bench),
            'W4n' => $this->sum($this->peer->create('Bench_Array')),
            'W4b' => $this->floats(),
            'W5' => $this->echo(),
            'W6' => $this->lifetime(),
            'W7' => $this->calls(),
        };
    }

    private function nothing(): \Closure
    {
        $bench = $this->bench;

        return static function () use ($bench): void {
            $bench->noop();
        };
    }

    private function record(): \Closure
    {
        [$peer, $bench, $name, $number] = [$this->peer, $this->bench, str_repeat('abcdefgh', 4), 0];

        return static function () use ($peer, $bench, $name, &$number): void {
            $record = $peer->value($bench->record(++$number, $name));
            self::check($record['id'] === $number && $record['name'] === $name && \count($record) === 5);
        };
    }

    private function rows(): \Closure
    {
        [$peer, $bench] = [$this->peer, $this->bench];

        return static function () use ($peer, $bench): void {
            $rows = $peer->value($bench->rows(self::ROWS));
            self::check(\count($rows) === self::ROWS && $rows[self::ROWS - 1]['id'] === self::ROWS - 1);
        };
    }

    private function sum(object $bench): \Closure
    {
        [$peer, $floats] = [$this->peer, array_map(static fn(int $number): float => $number / 7, range(0, self::FLOATS - 1))];

        return static function () use ($peer, $bench, $floats): void {
            self::check(abs($peer->value($bench->total($floats)) - self::SUM_OF_FLOATS) < 1);
        };
    }

    private function floats(): \Closure
    {
        [$peer, $bench] = [$this->peer, $this->bench];

        return static function () use ($peer, $bench): void {
            self::check(\count($peer->value($bench->floats(self::FLOATS))) === self::FLOATS);
        };
    }

    private function echo(): \Closure
    {
        [$peer, $bench, $bytes] = [$this->peer, $this->bench, random_bytes(self::BYTES)];

        return static function () use ($peer, $bench, $bytes): void {
            $echo = $peer->echo($bench, $bytes);
            // To compare all of it would take as long as a quick peer.
            self::check(\strlen($echo) === self::BYTES && substr($echo, -32) === substr($bytes, -32));
        };
    }

    private function lifetime(): \Closure
    {
        $peer = $this->peer;

        return static function () use ($peer): void {
            $bench = $peer->create('Bench');
            $bench->noop();
        };
    }

    private function calls(): \Closure
    {
        [$peer, $bench] = [$this->peer, $this->bench];

        return static function () use ($peer, $bench): void {
            for ($i = 0; $i < self::CALLS; ++$i) {
                self::check($peer->value($bench->increment($i)) === $i + 1);
            }
        };
    }

    private static function check(bool $isRight): void
    {
        if (!$isRight) {
            throw new \UnexpectedValueException('a wrong answer');
        }
    }
}
