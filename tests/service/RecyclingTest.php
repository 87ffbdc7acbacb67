<?php

declare(strict_types=1);

namespace Tortoise\Tests\Service;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Sessions that leave by themselves, between two requests: PHP goes on with another one, and no PHP code notices. */
final class RecyclingTest extends TestCase
{
    private const SOURCE = <<<'PY'
        import os


        class Counter:
            requests = 0
            kept = []

            def count(self) -> list[int]:
                Counter.requests += 1
                return [os.getpid(), Counter.requests]

            def keep(self, bytes: int) -> None:
                Counter.kept.append(b"x" * bytes)
        PY;

    private const COUNT = Script::ATTEMPT . '$o = new Counter(); attempt(fn() => $o->count());';

    private Sidecar $sidecar;

    private HttpServer $server;

    /** What is static in Python is the session's, and begins anew with the next one. */
    public function testMaxRequests(): void
    {
        $seen = $this->requests(['--max-requests', '3'], 7);
        self::assertSame([1, 2, 3, 1, 2, 3, 1], array_column($seen, 1));
        self::assertCount(3, array_unique(array_column($seen, 0)));
        Processes::awaitEnd($seen[0][0], $seen[3][0]);
        self::assertGreaterThanOrEqual(2, $this->sidecar->status()['recycled']);
    }

    public function testASessionForEachRequest(): void
    {
        $seen = $this->requests(['--session', 'request'], 5);
        self::assertSame([1, 1, 1, 1, 1], array_column($seen, 1));
        self::assertCount(5, array_unique(array_column($seen, 0)));
    }

    public function testMaxAge(): void
    {
        $seen = $this->requests(['--max-age', '1'], 1);
        // Its second is over some time before the end of one of these.
        for ($end = hrtime(true) + 30e9; hrtime(true) < $end && end($seen)[0] === $seen[0][0];) {
            $seen[] = self::value($this->server->get());
        }
        self::assertNotSame($seen[0][0], end($seen)[0]);
        self::assertSame(1, end($seen)[1]);
    }

    public function testMaxMemory(): void
    {
        $this->serve(['--max-memory', '64M'], self::COUNT . 'if (($_SERVER["QUERY_STRING"] ?? "") === "keep") { $o->keep(80 << 20); }');
        $first = self::value($this->server->get());
        self::assertSame([$first[0], 2], self::value($this->server->get()));
        self::assertSame([$first[0], 3], self::value($this->server->get('keep')), 'never in the middle of a request');
        $next = self::value($this->server->get());
        self::assertNotSame($first[0], $next[0]);
        self::assertSame(1, $next[1]);
    }

    /** A limit of memory is Python's MemoryError, and the session serves on. */
    public function testMemoryLimit(): void
    {
        $this->serve(['--memory-limit', '200M'], self::COUNT . 'attempt(fn() => $o->keep(1 << 30)); attempt(fn() => $o->count());');
        [$before, $error, $after] = explode("\n", $this->server->get());
        self::assertStringStartsWith('Tortoise\Python\MemoryError: ', $error);
        [$session, $count] = self::value($before);
        self::assertSame([$session, $count + 1], self::value($after));
    }

    /** In one request nothing is recycled, however much it asks. */
    public function testARequestKeepsItsSession(): void
    {
        self::sandbox()->writeClass('Counter.py', self::SOURCE);
        $this->sidecar = new Sidecar(self::sandbox(), ['--max-requests', '1', '--max-age', '1']);
        $code = '$o = new Counter(); for ($i = 0; $i < 300; $i++) { $last = $o->count(); usleep(5000); } echo json_encode($last);';
        $output = self::php($code, ['tortoise.server' => $this->sidecar->address])->cleanOutput();
        self::assertSame(300, json_decode($output)[1]);
    }

    public function testAnIdleSessionThatIsKilledIsReplacedUnseen(): void
    {
        $seen = $this->requests([], 1);
        Processes::kill($seen[0][0]);
        $next = self::value($this->server->get());
        self::assertNotSame($seen[0][0], $next[0]);
        self::assertSame(1, $next[1]);
        self::assertSame([$next[0], 2], self::value($this->server->get()));
    }

    /** More clients than sessions: who is idle longest gives its place, and is back unseen when it needs one. */
    public function testAnIdleSessionIsRecalledForWhoWaits(): void
    {
        $this->serve(['--max-sessions', '1']);
        $other = new HttpServer(self::sandbox(), self::COUNT, ['tortoise.server' => $this->sidecar->address]);
        for ($turn = 0; $turn < 3; $turn++) {
            self::assertSame(1, self::value($this->server->get())[1]);
            self::assertSame(1, self::value($other->get())[1]);
        }
    }

    /** @param list<string> $arguments */
    private function serve(array $arguments, string $script = self::COUNT): void
    {
        self::sandbox()->writeClass('Counter.py', self::SOURCE);
        $this->sidecar = new Sidecar(self::sandbox(), $arguments);
        $this->server = new HttpServer(self::sandbox(), $script, ['tortoise.server' => $this->sidecar->address]);
    }

    /**
     * Starts the sidecar and a web server, and gives what so many requests saw.
     *
     * @param list<string> $arguments
     * @return list<array{int, int}> process, and how many requests it has served
     */
    private function requests(array $arguments, int $count): array
    {
        $this->serve($arguments);

        return array_map(fn(): array => self::value($this->server->get()), range(1, $count));
    }

    private static function value(string $line): mixed
    {
        self::assertStringStartsWith('value: ', $line);

        return json_decode(substr($line, \strlen('value: ')), true, 512, \JSON_THROW_ON_ERROR);
    }
}
