<?php

declare(strict_types=1);

namespace Tortoise\Tests\Async;

use Tortoise\Tests\Support\Frames;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Raw;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\ScriptedPeer;
use Tortoise\Tests\Support\TestCase;

/** What becomes of futures whose session is lost, too slow, another process's, or against the rules. */
final class LossTest extends TestCase
{
    /** @dataProvider channels */
    public function testASessionThatIsKilledFailsEveryFutureWithTheSameMessage(int $sharedMemory): void
    {
        $php = self::startPhp(
            Script::ATTEMPT . <<<'PHP'
                $bench = new Bench();
                $view = Tortoise\async($bench);
                $futures = [$view->sleep(100), $view->add(1), $view->refuse('x')];
                echo Tortoise\status()['session'], "\n";
                fgets(STDIN);
                while (!$futures[2]->isReady()) {
                    usleep(1000);
                }
                foreach ($futures as $future) {
                    attempt(fn() => $future->await());
                }
                attempt(fn() => $futures[1]->await());
                attempt(fn() => $view->add(2));
                attempt(fn() => Tortoise\async(new Bench())->add(3)->await());
                unset($futures);
                echo "end";
                PHP,
            ['tortoise.shared_memory' => $sharedMemory],
        );
        $session = (int) $php->readLine();
        Processes::kill($session);
        $php->writeLine();
        $lines = self::lines($php->wait()->cleanOutput());
        self::assertStringStartsWith("Tortoise\\ConnectionException: the Python session (process {$session}) is lost", $lines[1]);
        self::assertSame([$lines[1], $lines[1], $lines[1]], [$lines[2], $lines[3], $lines[4]]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[5]);
        self::assertSame(['value: 3', 'end'], \array_slice($lines, 6));
    }

    public function testATimeoutFailsEveryFuture(): void
    {
        $lines = self::lines(self::php(Script::ATTEMPT . <<<'PHP'
            $view = Tortoise\async(new Bench());
            $futures = [$view->sleep(100), $view->add(1)];
            $object = $view->item('dropped');
            attempt(fn() => $futures[1]->await());
            attempt(fn() => $futures[0]->await());
            unset($object);
            attempt(fn() => Tortoise\async(new Bench())->add(3)->await());
            PHP, ['tortoise.timeout' => '0.5'])->cleanOutput());
        self::assertStringStartsWith('Tortoise\TimeoutException: ', $lines[0]);
        self::assertStringContainsString('no answer within 0.5 s', $lines[0]);
        self::assertSame([$lines[0], 'value: 3', ''], \array_slice($lines, 1));
    }

    /** Five calls of 0.3 seconds take longer than one call may, and each of them does not. */
    public function testTheTimeOfACallCountsFromTheAnswerBeforeIt(): void
    {
        $result = self::evaluate(<<<'PHP'
            $view = Tortoise\async(new Bench());
            $last = null;
            $futures = array_map(fn() => $view->sleep(0.3), range(1, 5));
            return [end($futures)->await(), Tortoise\Future::all($futures)];
            PHP, ['tortoise.timeout' => '1']);
        self::assertSame(['slept', array_fill(0, 5, 'slept')], $result);
    }

    public function testAFork(): void
    {
        $lines = self::lines(self::php(Script::ATTEMPT . <<<'PHP'
            $view = Tortoise\async(new Bench());
            $futures = [$view->add(1), $view->refuse('x'), $view->add(2)];
            $dropped = $view->item('x');
            if (pcntl_fork() === 0) {
                attempt(fn() => $futures[0]->isReady());
                attempt(fn() => $futures[0]->await());
                unset($dropped, $futures[2]);
                attempt(fn() => Tortoise\async(new Bench())->add(7)->await());
                exit(0);
            }
            pcntl_wait($status);
            attempt(fn() => $status);
            attempt(fn() => $futures[2]->await());
            attempt(fn() => $futures[0]->await());
            attempt(fn() => $futures[1]->await());
            attempt(fn() => $dropped->await()->name);
            PHP)->cleanOutput());
        self::assertSame('value: true', $lines[0]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[1]);
        self::assertStringContainsString('fork', $lines[1]);
        $expected = ['value: 7', 'value: 0', 'value: 2', 'value: 1', 'Tortoise\Python\ValueError: x', 'value: "x"', ''];
        self::assertSame($expected, \array_slice($lines, 2));
    }

    /** A peer that says nothing before it has all three requests. */
    public function testRequestsAreSentBeforeTheFirstAnswerIsGiven(): void
    {
        $answers = [];
        foreach ([3, 4, 5] as $call) {
            $answers[] = Frames::frame(Frames::VALUE, $call, \chr($call));
        }
        [$lines, $frames] = $this->speakTo(['', '', implode('', $answers)]);
        self::assertSame(['value: 5', 'value: 3', 'value: 4', ''], $lines);
        self::assertSame([3, 4, 5], array_column(\array_slice($frames, 3, 3), 'call'));
        self::assertSame([Frames::CALL, Frames::CALL, Frames::CALL], array_column(\array_slice($frames, 3, 3), 'kind'));
    }

    /** Coroutines are answered when they are done. */
    public function testAnswersInAnyOrder(): void
    {
        $answers = [];
        foreach ([4, 5, 3] as $call) {
            $answers[] = Frames::frame(Frames::VALUE, $call, \chr($call));
        }
        [$lines] = $this->speakTo(['', '', implode('', $answers)]);
        self::assertSame(['value: 5', 'value: 3', 'value: 4', ''], $lines);
    }

    /** @dataProvider hostileAnswers */
    public function testAnswersThatBreakTheRules(string $expected, string $answers): void
    {
        [$lines] = $this->speakTo(['', '', $answers, null]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertStringContainsString($expected, $lines[0]);
        self::assertSame($lines[0], $lines[1]);
        self::assertSame($lines[0], $lines[2]);
    }

    /** @return iterable<string, array{string, string}> */
    public static function hostileAnswers(): iterable
    {
        $value = static fn(int $call, mixed ...$more): string => Frames::frame(Frames::VALUE, $call, "\x01", ...$more);
        yield 'an answer twice' => ['call 3, which is not one that waits', $value(3) . $value(3)];
        yield 'an answer to nothing' => ['call 9, which is not one that waits', $value(9)];
        yield 'segments that never come' => ['is lost', $value(3, segments: 'x', promised: 1 << 20)];
        yield 'a failure that makes no sense' => ['makes no sense', Frames::frame(Frames::FAILURE, 3, "\xc0")];
        yield 'a protocol error' => ['refused the request', Frames::frame(Frames::FAILURE, 3, Frames::pack([4, 0, 'wrong', []]))];
    }

    /** What is set aside is judged by whoever asks for it. */
    public function testAnAnswerThatMakesNoSenseIsFoundWhenItIsAwaited(): void
    {
        $segment = "\xc7\x05\x03\x00" . pack('N', 8);
        $answers = Frames::frame(Frames::VALUE, 3, $segment, segments: 'xxxx') . Frames::frame(Frames::VALUE, 4, "\x01")
            . Frames::frame(Frames::VALUE, 5, "\x02");
        [$lines] = $this->speakTo(['', '', $answers]);
        self::assertSame('value: 2', $lines[0]);
        self::assertStringContainsString('announces 8 bytes of segments', $lines[1]);
        self::assertSame($lines[1], $lines[2]);
    }

    /** @return iterable<string, array{int}> */
    public static function channels(): iterable
    {
        yield 'shared memory' => [1];
        yield 'socket' => [0];
    }

    /**
     * A script that sends three calls and awaits the last, the first and the second.
     *
     * @param list<string|null> $steps what the peer sends after each
     *
     * @return array{list<string>, list<array{kind: int, call: int, payload: string}>} what it prints, and what the peer got
     */
    private function speakTo(array $steps): array
    {
        $description = [2, Raw::binary(str_repeat('f', 16)), [], ['Some_Thing', 'some.thing', 'Some_Thing', null, 1, null, 0, [], [], [], []]];
        $object = "\xc7\x11\x01" . pack('JJ', 3, 2) . "\x00";
        $peer = new ScriptedPeer(self::sandbox(), [[
            Frames::welcome(),
            Frames::frame(Frames::DESCRIBED, 1, Frames::pack($description)),
            Frames::frame(Frames::VALUE, 2, $object),
            ...$steps,
        ]]);
        self::sandbox()->writeClass('Some/Thing.py', '');
        $result = self::php(Script::ATTEMPT . <<<'PHP'
            $view = Tortoise\async(new Some_Thing());
            $futures = [$view->one(), $view->two(), $view->three()];
            foreach ([2, 0, 1] as $number) {
                attempt(fn() => $futures[$number]->await());
            }
            PHP, ['tortoise.server' => $peer->address, 'tortoise.timeout' => 10]);

        return [self::lines($result->cleanOutput()), $peer->awaitLeave()];
    }

    /** @return list<string> */
    private static function lines(string $output): array
    {
        return explode("\n", $output);
    }
}
