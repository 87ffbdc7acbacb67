<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\Frames;
use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\RawClient;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** PHP and its session over TCP, with a token; and who comes without one. */
final class TcpTest extends TestCase
{
    private const TOKEN = 'a token of more than thirty-two bytes';

    private const CATCH = 'catch (Tortoise\Exception $e) { echo $e::class, ": ", $e->getMessage(); }';

    private const TRY = 'try { (new Port_Worker())->pid(); echo "served"; } ' . self::CATCH;

    private Sidecar $sidecar;

    /** @var array<string, string> */
    private array $ini;

    public function testCallsGoOverTcp(): void
    {
        $this->serve();
        $code = <<<'PHP'
            $worker = new Port_Worker();
            foreach ([0, 1, 65536, 1 << 20, 10_000_001] as $length) {
                $text = str_repeat('x', $length);
                assert($worker->show($text) === $text);
            }
            $rows = array_fill(0, 10_000, ['a' => 1, 'b' => 2.5, 'c' => [null, true, 'text']]);
            assert($worker->show($rows) === $rows);
            $floats = array_map(static fn(int $n): float => $n / 3, range(1, 100_000));
            assert($worker->show($floats) === $floats);
            assert($worker->show($worker) === $worker);
            try {
                $worker->fail('what');
            } catch (Tortoise\Python\KeyError $error) {
                echo $error->getMessage(), "\n";
            }
            for ($i = 0; $i < 3000; $i++) {
                new Port_Worker();
            }
            echo $worker->count(), "\n";
            echo Tortoise\status()['channel'], ' ', Tortoise\status()['server'];
            PHP;
        $output = self::php($code, $this->ini)->cleanOutput();
        self::assertSame("'what'\n1\ntcp socket {$this->ini['tortoise.server']}", $output);
    }

    public function testObjectsEndWithTheRequestAndTheSessionStays(): void
    {
        $this->serve();
        $page = '$w = new Port_Worker(); $GLOBALS["kept"] = new Port_Worker(); echo json_encode([$w->pid(), $w->count()]);';
        $http = new HttpServer(self::sandbox(), $page, ['tortoise.path' => __DIR__] + $this->ini);
        $first = json_decode($http->get(), true);
        self::assertSame(2, $first[1]);
        self::assertSame($first, json_decode($http->get(), true));
    }

    public function testAllNamesOfTheLoopbackWork(): void
    {
        $this->serve();
        $port = parse_url($this->ini['tortoise.server'], \PHP_URL_PORT);
        foreach (["tcp://localhost:{$port}", "tcp://127.0.0.1:{$port}"] as $address) {
            self::assertSame('served', self::php(self::TRY, ['tortoise.server' => $address] + $this->ini)->cleanOutput());
        }
        $line = (new Sidecar(self::sandbox(), ['--listen', 'tcp://[::1]:0', '--token-file', $this->token()], __DIR__, socket: 'six.sock'))
            ->awaitLine('/ready: listening on tcp/');
        $address = substr($line, (int) strpos($line, 'tcp://'));
        self::assertSame('served', self::php(self::TRY, ['tortoise.server' => $address] + $this->ini)->cleanOutput());
    }

    public function testConfigureNamesPortAndToken(): void
    {
        $this->serve();
        $settings = var_export(['server' => $this->ini['tortoise.server'], 'token_file' => $this->ini['tortoise.token_file']], true);
        self::assertSame('served', self::php("Tortoise\\configure({$settings}); " . self::TRY)->cleanOutput());
    }

    public function testARotatedTokenIsReadForTheNextConnection(): void
    {
        $this->serve();
        $file = self::sandbox()->write('php.token', str_repeat('wrong', 10));
        chmod($file, 0o600);
        $code = self::TRY . ' echo "\n"; fgets(STDIN); ' . self::TRY . ' echo "\n";';
        $php = self::startPhp($code, ['tortoise.token_file' => $file] + $this->ini);
        self::assertStringContainsString('not the sidecar\'s', $php->readLine());
        file_put_contents($file, self::TOKEN . "\r\n");
        $php->writeLine();
        self::assertSame('served', $php->readLine());
        $php->wait()->cleanOutput();
    }

    /** @dataProvider tokens */
    public function testWithoutTheRightTokenNobodyIsServed(?string $content, int $mode, string ...$expected): void
    {
        $this->serve();
        $file = self::sandbox()->path('php.token');
        if ($content !== null) {
            self::sandbox()->write('php.token', $content);
            chmod($file, $mode);
        }
        $output = self::php(self::TRY, ['tortoise.token_file' => $file] + $this->ini)->cleanOutput();
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $output);
        foreach ([...$expected, $mode === 0o600 ? 'tortoise.token_file' : "chmod 600 {$file}"] as $part) {
            self::assertStringContainsString($part, $output);
        }
        self::assertStringNotContainsString(self::TOKEN, $output);
        if (trim((string) $content) !== '') {
            self::assertStringNotContainsString(trim($content), $output);
        }
    }

    /** @return array<string, list<mixed>> */
    public static function tokens(): array
    {
        return [
            'wrong' => [strrev(self::TOKEN), 0o600, 'the sidecar at tcp://', 'not the sidecar\'s'],
            'missing' => [null, 0o600, 'php.token', 'No such file'],
            'short' => ['short', 0o600, 'php.token', '5 bytes', 'at least 32'],
            'empty' => ["\n", 0o600, 'php.token', '0 bytes'],
            'open' => [self::TOKEN, 0o604, 'php.token', 'mode is 0604'],
        ];
    }

    public function testWithoutATokenFileTheErrorNamesTheSetting(): void
    {
        $this->serve();
        $output = self::php(self::TRY, ['tortoise.token_file' => ''] + $this->ini)->cleanOutput();
        self::assertStringContainsString('set tortoise.token_file', $output);
    }

    public function testATokenFileThatPhpMayNotReadIsNamed(): void
    {
        $this->serve();
        $file = self::sandbox()->write('php.token', self::TOKEN);
        chmod($file, 0);
        // Root reads such files too, unless it is told not to.
        $wrapper = posix_geteuid() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];
        $output = self::php(self::TRY, ['tortoise.token_file' => $file] + $this->ini, wrapper: $wrapper)->cleanOutput();
        $user = posix_geteuid();
        self::assertStringContainsString(
            "the token file {$file} (tortoise.token_file) cannot be used by user {$user}: Permission denied",
            $output,
        );
    }

    /** A client that sends no token, a wrong one, or none of the right kind never reaches a session. */
    public function testStrangersAreToldNoAndNamedInTheLog(): void
    {
        $this->serve();
        foreach ([[], ['token' => strrev(self::TOKEN)]] as $more) {
            $client = new RawClient($this->ini['tortoise.server']);
            $answer = $client->send($this->hello($more))->receive();
            self::assertSame(Frames::REFUSAL, $answer['kind'] ?? null);
            self::assertStringContainsString('tortoise.token_file', $answer['payload']);
            self::assertNull($client->receive(), 'closed behind the refusal');
            $line = $this->sidecar->awaitLine('/is not served/');
            self::assertMatchesRegularExpression('~client at tcp://127\.0\.0\.1:\d+ is not served~', $line);
        }
        $client = new RawClient($this->ini['tortoise.server']);
        $answer = $client->send($this->hello(['token' => str_repeat('x', 4097)]))->receive();
        self::assertStringContainsString('a token is over the limit of 4096', $answer['payload'] ?? '');
        self::assertStringNotContainsString(self::TOKEN, $this->sidecar->log());
        self::assertSame('served', self::php(self::TRY, $this->ini)->cleanOutput());
    }

    public function testAClientThatSaysNothingIsCut(): void
    {
        $this->serve();
        $begin = microtime(true);
        $client = new RawClient($this->ini['tortoise.server']);
        $answer = $client->send(substr($this->hello([]), 0, 40))->receive();
        self::assertStringContainsString('no hello within 5 s', $answer['payload'] ?? '');
        self::assertNull($client->receive());
        self::assertLessThan(8.0, microtime(true) - $begin);
    }

    public function testASessionThatIsKilledIsACleanErrorAtOnce(): void
    {
        $this->serve();
        $code = '$w = new Port_Worker(); echo $w->pid(), "\n"; fgets(STDIN); $begin = hrtime(true);'
            . 'try { $w->pid(); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(), "\n"; }'
            . 'echo (hrtime(true) - $begin) / 1e9, "\n"; echo (new Port_Worker())->pid(), "\n";';
        $php = self::startPhp($code, $this->ini);
        $session = (int) $php->readLine();
        Processes::kill($session);
        $php->writeLine();
        self::assertStringContainsString("the Python session (process {$session}) is lost", $php->readLine());
        self::assertLessThan(1.0, (float) $php->readLine());
        self::assertNotSame($session, (int) $php->readLine());
        $php->wait()->cleanOutput();
    }

    public function testASessionEndsWithItsPhp(): void
    {
        $this->serve();
        $php = self::startPhp('echo (new Port_Worker())->pid(), "\n"; fgets(STDIN);', $this->ini);
        $session = (int) $php->readLine();
        $php->signal(\SIGKILL);
        Processes::awaitEnd($session);
    }

    public function testWhereNobodyListensTheErrorSaysWhatToDo(): void
    {
        $this->serve();
        $this->sidecar->signal(\SIGTERM);
        self::assertSame(0, $this->sidecar->wait()->exitCode);
        $server = $this->ini['tortoise.server'];
        $output = self::php(self::TRY, $this->ini)->cleanOutput();
        foreach (["no sidecar answers at {$server}", 'Connection refused', 'tortoise serve --listen tcp://', '--token-file'] as $part) {
            self::assertStringContainsString($part, $output);
        }
        $output = self::php(self::TRY, ['tortoise.server' => 'tcp://nowhere.invalid:1'] + $this->ini)->cleanOutput();
        self::assertStringContainsString('the name nowhere.invalid cannot be resolved', $output);
        foreach (['tcp://127.0.0.1', 'tcp://127.0.0.1:0', 'tcp://:1', 'tcp://[::1:1', 'tcp://a/b:1', 'tls://127.0.0.1:1'] as $wrong) {
            $output = self::php(self::TRY, ['tortoise.server' => $wrong] + $this->ini)->cleanOutput();
            self::assertStringContainsString("tortoise.server is \"{$wrong}\"", $output);
        }
    }

    public function testManyClientsAtOnce(): void
    {
        $this->serve();
        $code = '$w = new Port_Worker(); for ($i = 0; $i < 200; $i++) { if ($w->show(getmypid() . "-$i") !== getmypid() . "-$i") { exit(1); } } echo "good";';
        $processes = array_map(fn(): PhpProcess => self::startPhp($code, $this->ini), range(1, 4));
        foreach ($processes as $process) {
            self::assertSame('good', $process->wait()->cleanOutput());
        }
    }

    /** @dataProvider wrongCommands */
    public function testItDoesNotStartOnAnUnsafePort(string $address, ?int $mode, string ...$expected): void
    {
        $arguments = $mode === null ? [] : ['--token-file', $this->token($mode)];
        $command = [Sidecar::binary(), 'serve', '--listen', $address, '--path', __DIR__, ...$arguments];
        $result = self::sandbox()->run($command)->wait();
        self::assertNotSame(0, $result->exitCode);
        foreach ($expected as $part) {
            self::assertStringContainsString($part, $result->errors);
        }
    }

    /** @return array<string, list<mixed>> */
    public static function wrongCommands(): array
    {
        return [
            'no token' => ['tcp://127.0.0.1:0', null, '--token-file FILE', 'tortoise.token_file'],
            'a token that others can read' => ['tcp://127.0.0.1:0', 0o640, 'mode 0640', 'chmod 600'],
            'a port for everybody' => ['tcp://0.0.0.0:0', 0o600, 'in the clear', 'tunnel'],
            'a name' => ['tcp://example.org:1990', 0o600, 'in the clear', 'tunnel'],
        ];
    }

    /** Starts a sidecar on a port, and on a socket beside it. */
    private function serve(): void
    {
        $token = $this->token();
        $this->sidecar = new Sidecar(self::sandbox(), ['--listen', 'tcp://localhost:0', '--token-file', $token], __DIR__);
        $line = $this->sidecar->awaitLine('/ready: listening on tcp/');
        $address = substr($line, (int) strpos($line, 'tcp://'));
        $this->ini = ['tortoise.server' => $address, 'tortoise.token_file' => $token];
    }

    private function token(int $mode = 0o600): string
    {
        $file = self::sandbox()->write('serve.token', self::TOKEN . "\n");
        chmod($file, $mode);

        return $file;
    }

    /** @param array<string, string> $more */
    private function hello(array $more): string
    {
        $map = ['product' => phpversion('tortoise'), 'process' => getmypid(), 'roots' => [], 'modules' => []];
        $pairs = array_map(
            static fn(string $name, string $bytes): string => Frames::pack($name) . "\xc6" . pack('N', \strlen($bytes)) . $bytes,
            array_keys($more),
            $more,
        );
        $head = "\xdf" . pack('N', \count($map) + \count($more));

        return Frames::frame(
            Frames::HELLO,
            0,
            "TORTOISE\0\x01" . $head . substr(Frames::pack($map), 5) . implode('', $pairs),
        );
    }
}
