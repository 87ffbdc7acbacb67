<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `tortoise.server=auto`: the first use starts a private sidecar, all share it, and it leaves when it is idle. */
final class AutostartTest extends TestCase
{
    private const PRINT_SESSION = 'echo (new Life_Thing())->pid(), "\n"; fgets(STDIN);';

    public function testTheFirstUseStartsOneSidecarAndTheNextProcessFindsIt(): void
    {
        $first = self::startPhp(self::PRINT_SESSION);
        $session = (int) $first->readLine();
        $sidecar = self::sidecarOf($session);
        self::assertSame([$sidecar], self::sidecars());
        self::assertSame(1, Processes::parentOf($sidecar), 'it is no child of PHP');
        $first->writeLine();
        $first->wait()->cleanOutput();
        Processes::awaitEnd($session);

        $second = self::startPhp(self::PRINT_SESSION);
        self::assertSame($sidecar, self::sidecarOf((int) $second->readLine()));
        $second->writeLine();
        $second->wait()->cleanOutput();
    }

    public function testNothingIsStartedForScriptsThatUseNoPythonClass(): void
    {
        $result = self::php('var_dump(class_exists("Nothing_Here"), Tortoise\status()["connected"]);');
        self::assertSame("bool(false)\nbool(false)\n", $result->cleanOutput());
        self::assertSame([], array_diff((array) scandir(self::sandbox()->runtime), ['.', '..']));
    }

    public function testTenProcessesAtOnceStartOne(): void
    {
        $processes = [];
        for ($i = 0; $i < 10; $i++) {
            $processes[] = self::startPhp('fgets(STDIN); ' . self::PRINT_SESSION);
        }
        array_map(static fn(PhpProcess $process) => $process->writeLine(), $processes);
        $sessions = array_map(static fn(PhpProcess $process): int => (int) $process->readLine(), $processes);
        self::assertCount(10, array_unique($sessions), 'each has a session of its own');
        self::assertCount(1, array_unique(array_map(self::sidecarOf(...), $sessions)));
        self::assertCount(1, self::sidecars());
        self::assertSame(1, substr_count(self::sandbox()->log(), 'ready: listening'));
        array_map(static fn(PhpProcess $process) => $process->writeLine(), $processes);
        foreach ($processes as $process) {
            $process->wait()->cleanOutput();
        }
    }

    public function testAnIdleSidecarLeavesAndTheNextUseStartsAnother(): void
    {
        $environment = ['TORTOISE_IDLE_EXIT' => '1'];
        $first = self::startPhp(self::PRINT_SESSION, environment: $environment);
        $sidecar = self::sidecarOf((int) $first->readLine());
        self::assertCount(1, self::sockets());
        $first->writeLine();
        $first->wait()->cleanOutput();
        Processes::awaitEnd($sidecar);
        self::assertSame([], self::sockets());

        $second = self::startPhp(self::PRINT_SESSION, environment: $environment);
        self::assertNotSame($sidecar, self::sidecarOf((int) $second->readLine()));
        $second->writeLine();
        $second->wait()->cleanOutput();
    }

    public function testOnlyTheUserCanReachIt(): void
    {
        $process = self::startPhp(self::PRINT_SESSION, environment: ['XDG_RUNTIME_DIR' => '', 'TMPDIR' => self::temporary()]);
        $sidecar = self::sidecarOf((int) $process->readLine());
        $folder = self::temporary() . '/tortoise-' . posix_geteuid();
        self::assertSame('40700', decoct((int) fileperms($folder)));
        [$socket] = (array) glob("{$folder}/*.sock");
        self::assertSame('140600', decoct((int) fileperms((string) $socket)));
        foreach ((array) glob("{$folder}/*.{lock,log}", \GLOB_BRACE) as $file) {
            self::assertSame('100600', decoct((int) fileperms((string) $file)), (string) $file);
        }
        $process->writeLine();
        $process->wait()->cleanOutput();
        Processes::signal($sidecar, \SIGTERM);
        Processes::awaitEnd($sidecar);
    }

    public function testXdgRuntimeDirIsUsed(): void
    {
        $process = self::startPhp(self::PRINT_SESSION);
        $process->readLine();
        self::assertCount(1, self::sockets());
        $process->writeLine();
        $process->wait()->cleanOutput();
    }

    /** @dataProvider unsafeFolders */
    public function testAFolderThatOthersMayEnterIsRefused(string $variable, string $folder, callable $make): void
    {
        $temporary = self::temporary();
        $make("{$temporary}/{$folder}");
        $value = $variable === 'TMPDIR' ? $temporary : "{$temporary}/{$folder}";
        self::assertConnectionError(
            ["{$temporary}/{$folder}", 'mode 0700', 'XDG_RUNTIME_DIR'],
            ['XDG_RUNTIME_DIR' => '', $variable => $value],
        );
    }

    /** @return iterable<string, array{string, string, callable(string): mixed}> */
    public static function unsafeFolders(): iterable
    {
        $open = static fn(string $folder): bool => mkdir($folder) && chmod($folder, 0o755);
        $foreign = static fn(string $folder): bool => mkdir($folder, 0o700) && chown($folder, 1);
        $linked = static fn(string $folder): bool => mkdir("{$folder}.real", 0o700) && symlink("{$folder}.real", $folder);
        $own = 'tortoise-' . posix_geteuid();
        yield 'an open folder in TMPDIR' => ['TMPDIR', $own, $open];
        yield 'an open XDG_RUNTIME_DIR' => ['XDG_RUNTIME_DIR', 'run', $open];
        yield 'a link in TMPDIR' => ['TMPDIR', $own, $linked];
        if (posix_geteuid() === 0) {
            yield 'a foreign folder in TMPDIR' => ['TMPDIR', $own, $foreign];
            yield 'a foreign XDG_RUNTIME_DIR' => ['XDG_RUNTIME_DIR', 'run', $foreign];
        }
    }

    public function testASocketPathThatIsTooLongIsSaid(): void
    {
        $folder = self::temporary() . '/' . str_repeat('long', 25);
        mkdir($folder, 0o700);
        self::assertConnectionError([$folder, '107 bytes'], ['XDG_RUNTIME_DIR' => $folder]);
    }

    public function testAFolderThatIsNotThereIsSaid(): void
    {
        $folder = self::temporary() . '/missing';
        self::assertConnectionError([$folder, 'No such file'], ['XDG_RUNTIME_DIR' => $folder]);
    }

    public function testAStaleSocketIsReplaced(): void
    {
        $first = self::startPhp(self::PRINT_SESSION);
        $session = (int) $first->readLine();
        $sidecar = self::sidecarOf($session);
        Processes::kill($sidecar);
        Processes::awaitEnd($session);
        $first->writeLine();
        $first->wait()->cleanOutput();
        self::assertCount(1, self::sockets(), 'kill -9 leaves the socket behind');

        $second = self::startPhp(self::PRINT_SESSION);
        self::assertNotSame($sidecar, self::sidecarOf((int) $second->readLine()));
        self::assertCount(1, self::sockets());
        $second->writeLine();
        $second->wait()->cleanOutput();
    }

    public function testAnotherInterpreterIsAnotherSidecar(): void
    {
        $link = self::sandbox()->path('python');
        symlink((string) getenv('TORTOISE_PYTHON'), $link);
        $processes = [
            self::startPhp(self::PRINT_SESSION),
            self::startPhp(self::PRINT_SESSION, ['tortoise.python' => $link]),
        ];
        $sidecars = array_map(static fn(PhpProcess $process): int => self::sidecarOf((int) $process->readLine()), $processes);
        self::assertCount(2, array_unique($sidecars));
        foreach ($processes as $process) {
            $process->writeLine();
            $process->wait()->cleanOutput();
        }
    }

    /** The sidecar holds nothing of the PHP process that started it: neither its pipes nor its folder. */
    public function testTheSidecarInheritsNothing(): void
    {
        // The end of both outputs says that nobody else holds them: wait() would not return otherwise.
        $result = self::php('$f = fopen("php://stdin", "r"); echo (new Life_Thing())->pid();', seconds: 30);
        $sidecar = self::sidecars();
        self::assertCount(1, $sidecar, $result->cleanOutput());
        self::assertSame('/', readlink("/proc/{$sidecar[0]}/cwd"));
    }

    private static function temporary(): string
    {
        $folder = self::sandbox()->path('tmp');
        is_dir($folder) || mkdir($folder, 0o700);

        return $folder;
    }

    /**
     * @param list<string> $parts
     * @param array<string, string> $environment
     */
    private static function assertConnectionError(array $parts, array $environment): void
    {
        $code = 'try { new Life_Thing(); } catch (Tortoise\ConnectionException|Tortoise\AccessException $e) { echo $e->getMessage(); }';
        $message = self::php($code, environment: $environment)->cleanOutput();
        foreach ($parts as $part) {
            self::assertStringContainsString($part, $message);
        }
        self::assertSame([], self::sidecars());
    }

    /** @return list<int> */
    private static function sidecars(): array
    {
        return Processes::withCommandLine(Sidecar::binary() . ' serve --auto --python ' . getenv('TORTOISE_PYTHON')
            . ' --listen unix://' . \dirname(self::sandbox()->runtime));
    }

    /** @return list<string> */
    private static function sockets(): array
    {
        return (array) glob(self::sandbox()->runtime . '/*.sock');
    }

    private static function sidecarOf(int $session): int
    {
        return Processes::parentOf(Processes::parentOf($session));
    }
}
