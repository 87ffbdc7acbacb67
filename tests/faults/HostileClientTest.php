<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Frames;
use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\RawClient;
use Tortoise\Tests\Support\Raw;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** A client that does not keep to the wire is told so and closed; the sidecar and its other clients go on. */
final class HostileClientTest extends TestCase
{
    private Sidecar $sidecar;

    private PhpProcess $neighbour;

    protected function setUp(): void
    {
        $this->sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $this->neighbour = self::startPhp(
            '$o = new Fault_Process(); echo "ready\n"; fgets(STDIN); $o->value = 2; echo $o->value, (new Fault_Process())->value;',
            ['tortoise.server' => $this->sidecar->address],
        );
        $this->neighbour->readLine();
    }

    /** A client in the middle of its work goes on with it, and a new one is served, whatever the test did. */
    protected function assertPostConditions(): void
    {
        $this->neighbour->writeLine();
        self::assertSame("ready\n21", $this->neighbour->wait()->cleanOutput());
        self::assertTrue(Processes::runs($this->sidecar->pid()));
    }

    /** @dataProvider noHellos */
    public function testWhatIsNoHelloIsClosed(string $bytes, ?string $answer): void
    {
        $client = $this->client()->send($bytes)->endSending();
        $frame = $client->receive();
        if ($answer === null) {
            self::assertNull($frame);
        } else {
            self::assertSame(Frames::REFUSAL, $frame['kind'] ?? null);
            self::assertStringContainsString($answer, $frame['payload']);
            self::assertNull($client->receive());
        }
    }

    /** @return iterable<string, array{string, ?string}> */
    public static function noHellos(): iterable
    {
        $hello = Frames::hello([__DIR__]);
        yield 'nothing' => ['', null];
        yield 'an HTTP request' => ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", null];
        foreach ([1, 8, 31, 32, 33, 41, \strlen($hello) - 1] as $cut) {
            yield "a hello cut at {$cut}" => [substr($hello, 0, $cut), null];
        }
        yield 'a length of 4 GiB' => [Frames::frame(Frames::HELLO, 0, 'TORTOISE', length: 0xFFFFFFFF), null];
        yield 'a length one over the limit' => [Frames::frame(Frames::HELLO, 0, str_repeat('x', 65537)), null];
        yield 'an unknown kind' => [Frames::frame(0x7F, 0, ''), null];
        yield 'a call before the hello' => [Frames::frame(Frames::CALL, 1, Frames::pack(2)), null];
        yield 'an unknown version' => [Frames::hello([__DIR__], version: 7), 'wire version 7'];
        yield 'another product' => [Frames::hello([__DIR__], '9.9.9'), '9.9.9'];
        yield 'garbage behind the version' => [Frames::frame(Frames::HELLO, 0, "TORTOISE\x00\x01\xc1"), 'malformed'];
        yield 'an endless map' => [Frames::frame(Frames::HELLO, 0, "TORTOISE\x00\x01\xdf\xff\xff\xff\xff"), 'malformed'];
        yield 'a deep value' => [
            Frames::frame(Frames::HELLO, 0, "TORTOISE\x00\x01\x81\xa1x" . str_repeat("\x91", 60_000) . "\xc0"), 'malformed',
        ];
        yield 'a thousand roots' => [Frames::hello(array_fill(0, 1000, '/tmp')), 'malformed'];
        yield 'a root that is no text' => [
            Frames::frame(Frames::HELLO, 0, "TORTOISE\x00\x01" . Frames::pack(['roots' => ["\xff"]])), 'malformed',
        ];
        yield 'a foreign root' => [Frames::hello(['/etc']), '/etc'];
    }

    public function testAClientThatSaysNothingIsGivenUp(): void
    {
        $client = $this->client()->send(substr(Frames::hello([__DIR__]), 0, 20));
        $frame = $client->receive();
        self::assertStringContainsString('no hello within', $frame['payload'] ?? '');
        self::assertNull($client->receive());
    }

    /** @dataProvider noRequests */
    public function testARequestThatMakesNoSenseEndsTheSession(string $bytes, string $expected): void
    {
        $client = $this->greeted();
        self::assertSame(2, self::describedClass($client, 1), 'the object that the calls name');
        $frame = $client->send($bytes)->receive();
        self::assertSame(Frames::FAILURE, $frame['kind'] ?? null);
        // Category 4: the request made no sense; 0: nothing has run.
        self::assertStringContainsString($expected, $frame['payload']);
        self::assertSame('94' . '04' . '00', bin2hex(substr($frame['payload'], 0, 3)));
        self::assertNull($client->receive());
        $this->sidecar->awaitLine('/the connection of PHP process \d+ was closed/');
    }

    /** @return iterable<string, array{string, string}> */
    public static function noRequests(): iterable
    {
        $call = static fn(string $payload): string => Frames::frame(Frames::CALL, 2, $payload);
        yield 'an unknown kind' => [Frames::frame(0x7F, 2, ''), 'kind 0x7f'];
        yield 'an unknown flag' => [Frames::frame(Frames::CALL, 2, '', 0x80), 'flag'];
        yield 'a second hello' => [Frames::hello([__DIR__]), 'a new call id'];
        yield 'an answer' => [Frames::frame(Frames::VALUE, 2, "\xc0"), 'a request'];
        yield 'a call id of 0' => [Frames::frame(Frames::CALL, 0, "\x01"), 'a new call id'];
        yield 'an empty call' => [$call(''), 'ends inside'];
        yield 'a length over the limit' => [Frames::frame(Frames::CALL, 2, '', length: 0xFFFFFFFF), 'limit'];
        yield 'an unknown tag' => [$call("\x02\xa1x\x91\xc1\x80"), '0xc1'];
        yield 'no name' => [$call("\x02\xc0\x90\x80"), 'the name of a method'];
        yield 'a negative index' => [$call("\x02\xff\x90\x80"), 'the index of a method'];
        yield 'an index that no name was given' => [$call("\x02\x07\x90\x80"), 'index'];
        yield 'a name that is not UTF-8' => [$call("\x02\xa1\xff\x90\x80"), 'UTF-8'];
        yield 'a name of 64 KiB' => [$call("\x02" . Frames::pack(str_repeat('x', 65536)) . "\x90\x80"), 'limit'];
        yield 'an array of 2^32 in a few bytes' => [$call("\x02\xa1x\xdd\xff\xff\xff\xff\x80"), 'cannot stand'];
        yield 'a map of 2^32 in a few bytes' => [$call("\x02\xa1x\x90\xdf\xff\xff\xff\xff"), 'cannot stand'];
        yield 'more behind the call' => [Frames::frame(Frames::DESCRIBE, 2, Frames::pack('Fault_Process') . "\xc0\xc0"), 'stand behind'];
        yield 'an odd list of releases' => [Frames::frame(Frames::CALL, 2, "\x91\x02", 0x01), 'odd'];
        yield 'a list of releases without end' => [Frames::frame(Frames::CALL, 2, "\xdd\xff\xff\xff\xff", 0x01), 'cannot stand'];
    }

    public function testACallIdThatComesAgainEndsTheSession(): void
    {
        $client = $this->greeted();
        $class = self::describedClass($client, 5);
        foreach ([5, 4, 0] as $old) {
            $client = $this->greeted();
            self::describedClass($client, 5);
            $client->send(Frames::frame(Frames::CALL, $old, Frames::pack($class)));
            self::assertSame(Frames::FAILURE, $client->receive()['kind'] ?? null);
            self::assertNull($client->receive());
        }
    }

    /** What one session was given is nothing to another: as if it had never been issued. */
    public function testAnotherSessionsObjectIsAsOneThatWasNeverMade(): void
    {
        $owner = $this->greeted();
        $class = self::describedClass($owner, 1);
        $owner->send(Frames::frame(0x11, 2, Frames::pack($class) . Frames::pack(3) . "\x90\x80"));
        self::assertSame(Frames::VALUE, $owner->receive()['kind'] ?? null);

        $thief = $this->greeted();
        $answers = [];
        foreach ([3, 9] as $call => $object) {
            $thief->send(Frames::frame(Frames::CALL, $call + 1, Frames::pack($object) . Frames::pack('pid') . "\x90\x80"));
            $answers[] = str_replace((string) $object, 'N', $thief->receive()['payload'] ?? '');
        }
        self::assertSame($answers[0], $answers[1]);
        self::assertStringStartsWith("\x94\x03\x00", $answers[0], 'category 3: stale; nothing has run');
        $owner->send(Frames::frame(Frames::CALL, 3, Frames::pack(3) . Frames::pack('pid') . "\x90\x80"));
        self::assertSame(Frames::VALUE, $owner->receive()['kind'] ?? null);
    }

    /** A value that cannot be is an error of that call alone, where the frame is whole. */
    public function testANestingOf100000IsAnErrorAndNoAbort(): void
    {
        foreach (["\x91", "\x81\xa1x"] as $open) {
            $client = $this->greeted();
            $class = self::describedClass($client, 1);
            $client->send(Frames::frame(Frames::CALL, 2, Frames::pack($class) . "\xa4echo\x91" . str_repeat($open, 100_000) . "\xc0\x80"));
            $frame = $client->receive();
            self::assertSame(Frames::FAILURE, $frame['kind'] ?? null);
            self::assertStringContainsString('deep', $frame['payload']);
        }
    }

    public function testAClientThatDiesInTheMiddleOfACall(): void
    {
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        posix_mkfifo("{$fifo}.begun", 0o600);
        $php = self::startPhp(
            '$o = new Fault_Process(); echo $o->pid(), "\n"; $o->announce_and_wait(' . var_export($fifo, true) . ');',
            ['tortoise.server' => $this->sidecar->address],
        );
        $session = (int) $php->readLine();
        self::assertSame('begun', file_get_contents("{$fifo}.begun"));
        $php->signal(\SIGKILL);
        $php->wait();
        // Its call goes on for as long as a session may take to leave, and no longer.
        Processes::awaitEnd($session);
    }

    public function testAClientThatLeavesInTheMiddleOfAFrame(): void
    {
        foreach ([1, 32, 40] as $cut) {
            $client = $this->greeted();
            $call = Frames::frame(Frames::CALL, 1, Frames::pack(str_repeat('x', 1000)));
            $client->send(substr($call, 0, $cut));
            $client->close();
            $this->sidecar->awaitLine('/the connection of PHP process \d+ was closed: the peer went away in the middle/');
        }
    }

    public function testAClientThatOnlyEndsItsSendingIsGone(): void
    {
        $client = $this->greeted();
        self::describedClass($client, 1);
        self::assertNull($client->endSending()->receive());
    }

    /** Bytes without any sense, ten thousand times in all. */
    public function testRandomBytes(): void
    {
        mt_srand(20_240_501);
        for ($round = 0; $round < 40; $round++) {
            $client = $round % 2 === 0 ? $this->greeted() : $this->client();
            $bytes = '';
            for ($frame = 0; $frame < 250; $frame++) {
                $payload = random_bytes(mt_rand(1, 200));
                $kind = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x1e, 0x1f][mt_rand(0, 9)];
                $bytes .= $frame % 3 === 0 ? $payload : Frames::frame($kind, $frame + 1, $payload, mt_rand(0, 1));
            }
            $client->send($bytes)->endSending();
            try {
                while ($client->receive() !== null) {
                }
            } catch (\RuntimeException $error) {
                self::assertStringNotContainsString('neither answers nor closes', $error->getMessage());
            }
        }
    }

    public function testAForeignUserIsRefused(): void
    {
        if (posix_geteuid() !== 0) {
            self::markTestSkipped('only root can be somebody else');
        }
        $socket = $this->sidecar->socket();
        // As if the folder and the socket were open to all by mistake.
        chmod(\dirname($socket), 0o755);
        chmod($socket, 0o666);
        $client = 'import os, socket; os.setuid(1); s = socket.socket(socket.AF_UNIX); s.connect(' . var_export($socket, true) . ');'
            . 's.sendall(bytes.fromhex("' . bin2hex(Frames::hello([__DIR__])) . '")); print(s.makefile("rb").read())';
        $result = self::sandbox()->run([(string) getenv('TORTOISE_PYTHON'), '-IS', '-c', $client])->wait();
        self::assertStringContainsString('runs as user 1 and this sidecar as user 0', $result->cleanOutput());
        chmod($socket, 0o600);
        chmod(\dirname($socket), 0o700);
    }

    /** Many at once, who say nothing: real clients are still served. */
    public function testTwoHundredMuteClients(): void
    {
        $clients = array_map(fn(): RawClient => $this->client(), range(1, 200));
        $php = self::php('echo (new Fault_Process())->value;', ['tortoise.server' => $this->sidecar->address]);
        self::assertSame('1', $php->cleanOutput());
        array_map(static fn(RawClient $client) => $client->close(), $clients);
    }

    public function testWithoutFileDescriptorsItWaitsAndRecovers(): void
    {
        $limit = 40;
        $command = ['prlimit', "--nofile={$limit}:{$limit}", Sidecar::binary()];
        $sidecar = self::sandbox()->run([
            'sh', '-c', 'exec "$0" "$@" 2>&1', ...$command, 'serve', '--listen', 'unix://' . self::sandbox()->path('few.sock'), '--path', __DIR__,
        ]);
        while (!str_contains($sidecar->readLine(), 'ready: listening')) {
        }
        $address = 'unix://' . self::sandbox()->path('few.sock');
        $clients = array_map(static fn(): RawClient => new RawClient($address), range(1, $limit + 10));
        while (!str_contains($sidecar->readLine(), 'cannot accept clients at present')) {
        }
        array_map(static fn(RawClient $client) => $client->close(), $clients);
        $php = self::php('echo (new Fault_Process())->value;', ['tortoise.server' => $address]);
        self::assertSame('1', $php->cleanOutput());
    }

    private function client(): RawClient
    {
        return new RawClient($this->sidecar->address);
    }

    private function greeted(): RawClient
    {
        $client = $this->client()->send(Frames::hello([__DIR__]));
        self::assertSame(Frames::WELCOME, $client->receive()['kind'] ?? null);

        return $client;
    }

    /** The id of a class that the session has described to the client. */
    private static function describedClass(RawClient $client, int $call): int
    {
        $client->send(Frames::frame(Frames::DESCRIBE, $call, Frames::pack('Fault_Process') . Frames::pack(null)));
        $frame = $client->receive();
        self::assertSame(Frames::DESCRIBED, $frame['kind'] ?? null);

        // An array of 4 that begins with a small number.
        return \ord($frame['payload'][1]);
    }
}
