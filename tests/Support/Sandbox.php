<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** A temporary directory with class roots and scripts, and the runtime directory of a private sidecar. */
final class Sandbox
{
    /** Short, because the path of a socket is bounded. */
    private const PARENT = '/tmp';

    /** The variable by which reap.py knows the sandbox's processes, for tests that set XDG_RUNTIME_DIR otherwise. */
    private const MARK = 'TORTOISE_TEST_SANDBOX';

    /** The class root that {@see writeClass} writes to. */
    public readonly string $classes;

    /** Where the sidecar has its socket, lock and log. */
    public readonly string $runtime;

    private readonly string $directory;

    /** @var list<PhpProcess> */
    private array $processes = [];

    private int $scripts = 0;

    public function __construct()
    {
        $this->directory = self::PARENT . '/tortoise-test-' . bin2hex(random_bytes(5));
        $this->classes = "{$this->directory}/classes";
        $this->runtime = "{$this->directory}/run";
        foreach ([$this->directory, $this->classes, $this->runtime] as $directory) {
            mkdir($directory, 0o700);
        }
    }

    /** Writes a Python file below the class root, and gives its path. */
    public function writeClass(string $file, string $source): string
    {
        return $this->write("classes/{$file}", $source);
    }

    /** Writes any file, and gives its path. */
    public function write(string $file, string $content): string
    {
        $path = "{$this->directory}/{$file}";
        if (!is_dir(\dirname($path))) {
            mkdir(\dirname($path), 0o700, true);
        }
        file_put_contents($path, $content);

        return $path;
    }

    /**
     * Starts PHP without ini files, with the built extension.
     *
     * @param array<string, string|int|float> $ini
     * @param array<string, string> $environment
     * @param list<string> $wrapper
     */
    public function start(string $code, array $ini, array $environment, array $wrapper): PhpProcess
    {
        $script = $this->write('script' . ++$this->scripts . '.php', "<?php\n{$code}");

        return $this->run([...$wrapper, ...self::phpCommand($ini), $script], $environment);
    }

    /**
     * Starts any command, in the sandbox's directory. It and what it starts belong to the sandbox.
     *
     * @param list<string> $command
     * @param array<string, string> $environment
     */
    public function run(array $command, array $environment = []): PhpProcess
    {
        $environment += ['XDG_RUNTIME_DIR' => $this->runtime, self::MARK => $this->runtime] + getenv();

        return $this->processes[] = new PhpProcess($command, $this->directory, $environment);
    }

    /**
     * PHP without ini files, with the built extension.
     *
     * @param array<string, string|int|float> $ini
     * @return list<string>
     */
    public static function phpCommand(array $ini): array
    {
        $ini += [
            'extension' => (string) getenv('TORTOISE_EXTENSION'),
            'tortoise.python' => (string) getenv('TORTOISE_PYTHON'),
            'display_errors' => 'stderr',
            'error_reporting' => '-1',
            'zend.assertions' => '1',
        ];
        $settings = [];
        foreach ($ini as $name => $value) {
            $settings[] = '-d';
            // In quotes, because PHP reads a bare value as an expression.
            $settings[] = $name . '="' . addcslashes((string) $value, '"\\') . '"';
        }

        return [\PHP_BINARY, '-n', ...$settings];
    }

    /** The path of a file or directory in it. */
    public function path(string $name): string
    {
        return "{$this->directory}/{$name}";
    }

    /** What the sidecar has logged so far. */
    public function log(): string
    {
        return implode('', array_map('file_get_contents', (array) glob("{$this->runtime}/*.log")));
    }

    /**
     * Ends what still runs, waits until it is gone, and removes the directory.
     *
     * @throws \RuntimeException if something did not end when it was told to
     */
    public function close(): void
    {
        foreach ($this->processes as $process) {
            $process->kill();
        }
        $reap = [(string) getenv('TORTOISE_PYTHON'), '-IS', __DIR__ . '/reap.py', $this->runtime];
        $environment = array_diff_key(getenv(), ['XDG_RUNTIME_DIR' => '', self::MARK => '']);
        $result = (new PhpProcess($reap, '/', $environment))->wait();
        $log = $result->exitCode === 0 ? '' : $this->log();
        self::remove($this->directory);
        if ($result->exitCode !== 0) {
            throw new \RuntimeException("The sidecar did not leave.\n{$result}\nits log: {$log}");
        }
    }

    private static function remove(string $path): void
    {
        if (is_dir($path) && !is_link($path)) {
            foreach (array_diff((array) scandir($path), ['.', '..']) as $name) {
                self::remove("{$path}/{$name}");
            }
            rmdir($path);
        } else {
            unlink($path);
        }
    }
}
