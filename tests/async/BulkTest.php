<?php

declare(strict_types=1);

namespace Tortoise\Tests\Async;

use Tortoise\Tests\Support\TestCase;

/** Large values both ways while many calls are in flight: neither side waits for the other for ever. */
final class BulkTest extends TestCase
{
    /** @dataProvider channels */
    public function testLargeAnswersWhileRequestsAreSent(int $sharedMemory, string $channel): void
    {
        $result = self::evaluate(
            <<<'PHP'
                $bench = new Bench();
                $view = Tortoise\async($bench);
                $futures = [];
                for ($number = 0; $number < 300; $number++) {
                    $futures[] = match ($number % 5) {
                        0 => $view->text(300_000 + $number),
                        1 => $view->echo(str_repeat('y', 200_000 + $number)),
                        2 => $view->size(str_repeat('z', 1000 + $number)),
                        3 => $view->echo([1.5, str_repeat('a', 20_000), $number, str_repeat('b', 20_001)]),
                        4 => $view->floats(20_000 + $number),
                    };
                    if ($number % 50 === 49) {
                        $bench->add($number);
                    }
                }
                $wrong = [];
                foreach (Tortoise\Future::all($futures) as $number => $value) {
                    $right = match ($number % 5) {
                        0 => $value === str_repeat('x', 300_000 + $number),
                        1 => $value === str_repeat('y', 200_000 + $number),
                        2 => $value === 1000 + $number,
                        3 => $value === [1.5, str_repeat('a', 20_000), $number, str_repeat('b', 20_001)],
                        4 => $value === array_map('floatval', range(0, 20_000 + $number - 1)),
                    };
                    if (!$right) {
                        $wrong[] = $number;
                    }
                }
                return [Tortoise\status()['channel'], $wrong, $bench->order()];
                PHP,
            ['tortoise.shared_memory' => $sharedMemory, 'tortoise.timeout' => 20, 'memory_limit' => '512M'],
        );
        self::assertSame([$channel, [], [49, 99, 149, 199, 249, 299]], $result);
    }

    /** More small requests than a socket holds, none of which is awaited before the last was sent; the first answer is large. */
    public function testManySmallRequestsBehindALargeAnswer(): void
    {
        foreach ([0, 1] as $sharedMemory) {
            $result = self::evaluate(
                <<<'PHP'
                    $view = Tortoise\async(new Bench());
                    $large = $view->text(20 << 20);
                    $futures = [];
                    for ($number = 0; $number < 5000; $number++) {
                        $futures[] = $view->add($number);
                    }
                    return [strlen($large->await()), array_sum(Tortoise\Future::all($futures))];
                    PHP,
                ['tortoise.shared_memory' => $sharedMemory, 'tortoise.timeout' => 20],
            );
            self::assertSame([20 << 20, 12_497_500], $result);
        }
    }

    /** What PHP has no room for throws, and what follows is as it was. */
    public function testAnAnswerBeyondMemoryLimit(): void
    {
        $result = self::evaluate(
            <<<'PHP'
                $view = Tortoise\async(new Bench());
                $errors = [];
                foreach ([false, true] as $isAside) {
                    $large = $view->text(40 << 20);
                    $small = $view->add(1);
                    if ($isAside) {
                        $small->await();
                    }
                    try {
                        $large->await();
                    } catch (Tortoise\ConversionException $error) {
                        $errors[] = substr($error->getMessage(), 0, 23);
                    }
                    $errors[] = $small->await();
                    $errors[] = $view->echo(str_repeat('x', 50_000))->await() === str_repeat('x', 50_000);
                }
                return $errors;
                PHP,
            ['memory_limit' => '32M'],
        );
        self::assertSame(['the answer is too large', 1, true, 'the answer is too large', 1, true], $result);
    }

    /** @return iterable<string, array{int, string}> */
    public static function channels(): iterable
    {
        yield 'shared memory' => [1, 'shared memory'];
        yield 'socket' => [0, 'unix socket'];
    }
}
