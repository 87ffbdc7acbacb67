<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/**
 * A test whose scripts run in a PHP process of their own, against a sidecar of their own.
 *
 *     $result = self::php('echo (new Foo_Bar(4))->twice();', classes: ['Foo/Bar.py' => $source]);
 *     self::assertSame('8', $result->output);
 */
abstract class TestCase extends \PHPUnit\Framework\TestCase
{
    private static ?Sandbox $sandbox = null;

    protected function tearDown(): void
    {
        $sandbox = self::$sandbox;
        self::$sandbox = null;
        if ($sandbox !== null && $this->hasFailed()) {
            fwrite(\STDERR, "\nthe sidecar's log at the failure of {$this->toString()}:\n{$sandbox->log()}\n");
        }
        $sandbox?->close();
        parent::tearDown();
    }

    /**
     * Runs a script to its end.
     *
     * Python classes are looked for among `$classes`, then beside the test's own file.
     *
     * @param string $code the script, without an opening tag
     * @param array<string, string|int|float> $ini settings, over those that every script gets
     * @param array<string, string> $classes Python sources by their file name below a class root
     * @param array<string, string> $environment variables, over those of the tests
     * @param list<string> $wrapper a command that runs the PHP command given to it, such as valgrind
     * @param float $seconds how long it may take as a whole
     */
    final protected static function php(
        string $code,
        array $ini = [],
        array $classes = [],
        array $environment = [],
        array $wrapper = [],
        float $seconds = 60.0,
    ): ProcessResult {
        return self::startPhp($code, $ini, $classes, $environment, $wrapper)->wait($seconds);
    }

    /**
     * What a script returns: data that JSON can carry. The script must end well and complain about nothing.
     *
     * @param array<string, string|int|float> $ini
     * @param array<string, string> $classes
     */
    final protected static function evaluate(string $code, array $ini = [], array $classes = []): mixed
    {
        $flags = 'JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION';
        $result = self::php("echo json_encode((static function () {\n{$code}\n})(), {$flags});", $ini, $classes);

        return json_decode($result->cleanOutput(), true, 512, JSON_THROW_ON_ERROR);
    }

    /**
     * Starts a script and does not wait for it, so that the test can act in the middle of it.
     *
     * @param array<string, string|int|float> $ini
     * @param array<string, string> $classes
     * @param array<string, string> $environment
     * @param list<string> $wrapper
     */
    final protected static function startPhp(
        string $code,
        array $ini = [],
        array $classes = [],
        array $environment = [],
        array $wrapper = [],
    ): PhpProcess {
        $sandbox = self::sandbox();
        foreach ($classes as $file => $source) {
            $sandbox->writeClass($file, $source);
        }
        $ini += ['tortoise.path' => $sandbox->classes . PATH_SEPARATOR . self::ownDirectory()];

        return $sandbox->start($code, $ini, $environment, $wrapper);
    }

    /** The directory and the sidecar of the test that runs. */
    final protected static function sandbox(): Sandbox
    {
        return self::$sandbox ??= new Sandbox();
    }

    private static function ownDirectory(): string
    {
        return \dirname((string) (new \ReflectionClass(static::class))->getFileName());
    }
}
