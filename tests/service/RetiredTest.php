<?php

declare(strict_types=1);

namespace Tortoise\Tests\Service;

use Tortoise\Tests\Support\Frames;
use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Raw;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\ScriptedPeer;
use Tortoise\Tests\Support\TestCase;

/** A session that retires did nothing of the request that finds it so: PHP asks another, and no PHP code notices. */
final class RetiredTest extends TestCase
{
    private const EXISTS = Script::ATTEMPT . 'attempt(fn() => class_exists("Some_Thing"));';

    public function testTheFirstRequestGoesToAnotherSession(): void
    {
        $peer = $this->peer([[Frames::welcome(), self::retired(), null], [Frames::welcome(), self::described()]]);
        self::assertSame("value: true\n", $this->ask($peer));
        [$first, $second] = [$peer->awaitLeave(), $peer->awaitLeave()];
        self::assertSame([Frames::HELLO, Frames::DESCRIBE], array_column($first, 'kind'));
        self::assertSame($first, \array_slice($second, 0, 2), 'the same frames, byte for byte');
    }

    /** It retired before it had read anything. */
    public function testASessionThatRetiresBehindItsWelcome(): void
    {
        $peer = $this->peer([[Frames::welcome() . self::retired(), null], [Frames::welcome(), self::described()]]);
        self::assertSame("value: true\n", $this->ask($peer));
    }

    public function testSeveralMayRetireOneAfterAnother(): void
    {
        $retires = [Frames::welcome(), self::retired(), null];
        $peer = $this->peer([$retires, $retires, $retires, $retires, [Frames::welcome(), self::described()]]);
        self::assertSame("value: true\n", $this->ask($peer));
    }

    public function testButNotWithoutEnd(): void
    {
        $peer = $this->peer([[Frames::welcome(), self::retired(), null]]);
        $line = $this->ask($peer);
        self::assertStringStartsWith('Tortoise\ConnectionException: 8 Python sessions retired one after another', $line);
        self::assertStringContainsString('tortoise status', $line);
    }

    /** What was done once must not be done again: behind the first answer nothing is sent twice. */
    public function testInTheMiddleOfARequestItIsAnError(): void
    {
        $peer = $this->peer([[Frames::welcome(), self::described(), self::retired(), null]]);
        $line = explode("\n", $this->ask($peer, self::EXISTS . 'attempt(fn() => Some_Thing::make());'))[1];
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $line);
        self::assertSame([Frames::HELLO, Frames::DESCRIBE, Frames::CALL], array_column($peer->awaitLeave(), 'kind'));
    }

    public function testBetweenTwoRequestsOfAWebServer(): void
    {
        $peer = $this->peer([
            [Frames::welcome(), self::described(), self::retired(), null],
            [Frames::welcome(), self::described()],
        ]);
        self::sandbox()->writeClass('Some/Thing.py', '');
        $server = new HttpServer(self::sandbox(), self::EXISTS, ['tortoise.server' => $peer->address]);
        self::assertSame("value: true\n", $server->get());
        self::assertSame(
            [Frames::HELLO, Frames::DESCRIBE, Frames::END_REQUEST],
            array_column($peer->awaitLeave(), 'kind'),
            'nothing was sent to a session that had gone',
        );
        self::assertSame("value: true\n", $server->get());
    }

    /** Where one sidecar has left and the next does not listen yet. */
    public function testNobodyListensForAMoment(): void
    {
        $socket = self::sandbox()->path('late.sock');
        $php = $this->startAsking("unix://{$socket}", 'echo "begun\n"; ' . self::EXISTS);
        self::assertSame('begun', $php->readLine());
        $listener = stream_socket_server("unix://{$socket}");
        $client = stream_socket_accept($listener, 30);
        self::assertNotFalse($client, 'PHP did not try again');
        fwrite($client, Frames::refusal('here I am', false));
        self::assertStringContainsString('here I am', $php->readLine());
        $php->wait()->cleanOutput();
    }

    public function testWhereNobodyEverListensTheErrorSaysWhatToDo(): void
    {
        $socket = self::sandbox()->path('none.sock');
        $line = $this->startAsking("unix://{$socket}", self::EXISTS)->wait()->cleanOutput();
        self::assertStringStartsWith("Tortoise\\ConnectionException: no sidecar answers at unix://{$socket}", $line);
        self::assertStringContainsString("tortoise serve --listen unix://{$socket}", $line);
        self::assertStringContainsString('tortoise doctor', $line);
    }

    /** @param list<list<string|null>> $connections */
    private function peer(array $connections): ScriptedPeer
    {
        return new ScriptedPeer(self::sandbox(), $connections);
    }

    private function ask(ScriptedPeer $peer, string $code = self::EXISTS): string
    {
        return $this->startAsking($peer->address, $code)->wait()->cleanOutput();
    }

    private function startAsking(string $address, string $code): PhpProcess
    {
        self::sandbox()->writeClass('Some/Thing.py', '');

        return self::startPhp($code, ['tortoise.server' => $address]);
    }

    private static function retired(): string
    {
        return Frames::frame(Frames::RETIRED, 0, '');
    }

    private static function described(): string
    {
        $class = ['Some_Thing', 'some.thing', 'Some_Thing', null, 1, null, 0, [], [], [['make', 1, [], null, 1]], []];

        return Frames::frame(Frames::DESCRIBED, 1, Frames::pack([2, Raw::binary(str_repeat('f', 16)), [], $class]));
    }
}
