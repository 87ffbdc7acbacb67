<?php

declare(strict_types=1);

namespace Tortoise\Tests\Service;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** What a new session costs a request, where spare ones wait. */
final class ConnectTest extends TestCase
{
    private const REQUESTS = 20;
    private const SPARE = 3;

    /** Far above what it takes, so that a loaded machine passes; one that starts an interpreter for each does not. */
    private const MOST_MILLISECONDS = 250.0;

    public function testAWarmSessionIsThereAtOnce(): void
    {
        self::sandbox()->writeClass('Warm.py', "class Warm:\n    pass\n");
        $sidecar = new Sidecar(self::sandbox(), ['--session', 'request', '--preload', 'Warm', '--spare-sessions', (string) self::SPARE]);
        $server = new HttpServer(
            self::sandbox(),
            '$began = hrtime(true); new Warm(); echo hrtime(true) - $began, " ", Tortoise\status()["session"];',
            ['tortoise.server' => $sidecar->address],
        );
        [$milliseconds, $sessions] = [[], []];
        for ($request = 0; $request < self::REQUESTS; $request++) {
            self::awaitSpare($sidecar);
            [$nanoseconds, $sessions[]] = explode(' ', $server->get());
            $milliseconds[] = $nanoseconds / 1e6;
        }
        sort($milliseconds);
        $median = $milliseconds[self::REQUESTS / 2];
        fwrite(\STDERR, \sprintf(
            "\nconnect, describe a class and make an object in a new session: %.2f ms (median of %d; %.2f to %.2f)\n",
            $median,
            self::REQUESTS,
            $milliseconds[0],
            end($milliseconds),
        ));
        self::assertCount(self::REQUESTS, array_unique($sessions));
        self::assertLessThan(self::MOST_MILLISECONDS, $median);
    }

    /** Waits until the spare sessions are there again, which take their time behind a request's. */
    private static function awaitSpare(Sidecar $sidecar): void
    {
        for ($end = hrtime(true) + 30e9; hrtime(true) < $end;) {
            if ($sidecar->status()['sessions']['spare'] === self::SPARE) {
                return;
            }
        }
        self::fail('the spare sessions do not come');
    }
}
