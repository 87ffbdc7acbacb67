<?php

declare(strict_types=1);

namespace Tortoise\Tests\Async;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** Futures that nobody awaits: their objects are given back, their errors logged, and the next request sees nothing of them. */
final class DroppedTest extends TestCase
{
    public function testTheObjectsOfADroppedFutureAreGivenBack(): void
    {
        $result = self::evaluate(<<<'PHP'
            $view = Tortoise\async(new Bench());
            $count = static fn(): int => Tortoise\type($GLOBALS['item']::class)->count();
            $GLOBALS['item'] = $view->item('kept')->await();
            $counts = [];
            // Dropped before the answer came.
            $view->item('x');
            $view->items(10);
            $view->add(1)->await();
            $counts[] = $count();
            // Dropped when it was there, set aside.
            $items = $view->items(10);
            $view->add(1)->await();
            $counts[] = $count();
            unset($items);
            $counts[] = $count();
            // Awaited, and dropped then.
            $items = $view->items(10);
            $items->await();
            unset($items);
            $counts[] = $count();
            // One object that PHP has, and that two dropped futures bring again.
            $view->echo($GLOBALS['item']);
            $again = $view->echo($GLOBALS['item']);
            $view->add(1)->await();
            unset($again);
            $counts[] = $count();
            $counts[] = $GLOBALS['item']->name;
            return $counts;
            PHP);
        self::assertSame([1, 11, 1, 1, 1, 'kept'], $result);
    }

    public function testAnErrorThatNobodyAwaitedIsLogged(): void
    {
        $log = self::sandbox()->path('php.log');
        $result = self::php(
            <<<'PHP'
                $view = Tortoise\async(new Bench());
                $view->refuse("dropped\nfirst");
                $aside = $view->refuse('dropped aside');
                $heard = $view->refuse('heard');
                $bulk = $view->add(1);
                $bulk->await();
                unset($aside);
                try {
                    $heard->await();
                } catch (Tortoise\Python\ValueError) {
                }
                $late = $view->refuse('kept to the end');
                $view->add(1)->await();
                unset($view);
                echo 'end';
                PHP,
            ['error_log' => $log],
        );
        self::assertSame('end', $result->cleanOutput());
        preg_match_all('/PHP Warning:  tortoise: an asynchronous call that nobody awaited failed: (.*)/', (string) file_get_contents($log), $found);
        self::assertSame(['ValueError: dropped first', 'ValueError: dropped aside', 'ValueError: kept to the end'], $found[1]);
    }

    /** @dataProvider ends */
    public function testTheNextRequestSeesNothingOfWhatIsStillInFlight(string $end, string $expected): void
    {
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            if (isset($_GET['end'])) {
                $view = Tortoise\async($bench = new Bench());
                $item = $view->item('x')->await();
                $GLOBALS['futures'] = [$view->items(5), $view->text(3 << 20), $view->add(1)];
                $GLOBALS['futures'][2]->await();
                array_push($GLOBALS['futures'], $view->sleep(0.2), $view->items(1000), $view->text(3 << 20), $view->refuse('late'));
                match ($_GET['end']) {
                    'plain' => print('left'),
                    'exit' => exit('left'),
                    'throw' => throw new Exception('thrown'),
                    'memory' => $view->items(200_000)->await(),
                    'await' => [$items = $view->items(200_000), $view->add(1)->await(), $items->await()],
                };
            } else {
                $bench = new Bench();
                $item = Tortoise\async($bench)->item('new')->await();
                echo $item->count(), ' ', $bench->add(1, 2), ' ', Tortoise\status()['session'];
            }
            PHP, ['tortoise.path' => __DIR__, 'memory_limit' => '16M']);
        [$count, $sum, $session] = explode(' ', $server->get());
        self::assertSame(['1', '3'], [$count, $sum]);
        for ($time = 0; $time < 3; $time++) {
            self::assertMatchesRegularExpression($expected, $server->get("end={$end}"));
            self::assertSame("1 3 {$session}", $server->get(), 'in the same session');
        }
    }

    /** @return iterable<string, array{string, string}> */
    public static function ends(): iterable
    {
        yield 'plain' => ['plain', '/^left$/'];
        yield 'exit' => ['exit', '/^left$/'];
        yield 'an exception' => ['throw', '/thrown/'];
        yield 'memory_limit in an answer' => ['memory', '/Allowed memory size|memory_limit/'];
        yield 'memory_limit in an answer that was set aside' => ['await', '/Allowed memory size|memory_limit/'];
    }

    public function testARequestDoesNotWaitForLongForTheOneBeforeIt(): void
    {
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            $view = Tortoise\async(new Bench());
            echo $view->add(1)->await(), ' ', Tortoise\status()['session'];
            if (isset($_GET['leave'])) {
                $GLOBALS['future'] = $view->sleep(100);
            }
            PHP, ['tortoise.path' => __DIR__]);
        $before = $server->get('leave=1');
        $began = hrtime(true);
        $after = $server->get();
        self::assertLessThan(20e9, hrtime(true) - $began);
        self::assertStringStartsWith('1 ', $after);
        self::assertNotSame($before, $after, 'in a new session');
        self::assertSame($after, $server->get());
    }
}
