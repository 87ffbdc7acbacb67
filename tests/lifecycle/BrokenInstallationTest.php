<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\TestCase;

/** What is missing or of no use is named, with what to do, in one ConnectionException. */
final class BrokenInstallationTest extends TestCase
{
    private const CODE = 'try { new Life_Thing(); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(); }';

    public function testWithoutTheSidecarsBinaryThePathIsNamed(): void
    {
        $extension = self::installation(['tortoise.so']);
        $message = self::message(['extension' => $extension]);
        self::assertStringContainsString('there is no sidecar at ' . \dirname($extension) . '/bin/tortoise', $message);
        self::assertStringContainsString('tortoise.server', $message);
    }

    public function testTheBinaryIsLookedForBesideTheFileThatALinkLeadsTo(): void
    {
        $link = self::sandbox()->path('linked.so');
        symlink((string) getenv('TORTOISE_EXTENSION'), $link);
        self::assertSame('thing', self::php('echo (new Life_Thing())->name;', ['extension' => $link])->cleanOutput());
    }

    public function testABinaryThatCannotRunIsNamed(): void
    {
        $extension = self::installation(['tortoise.so']);
        mkdir(\dirname($extension) . '/bin');
        $binary = \dirname($extension) . '/bin/tortoise';
        file_put_contents($binary, 'no program');
        self::assertStringContainsString("cannot start {$binary}: Permission denied", self::message(['extension' => $extension]));
    }

    public function testABinaryThatEndsWithoutAWordIsNamed(): void
    {
        $extension = self::installation(['tortoise.so']);
        mkdir(\dirname($extension) . '/bin');
        $binary = \dirname($extension) . '/bin/tortoise';
        file_put_contents($binary, "#!/bin/sh\nexit 1\n");
        chmod($binary, 0o755);
        $message = self::message(['extension' => $extension]);
        self::assertStringContainsString("the sidecar {$binary} ended before it was ready (exit status: 1)", $message);
    }

    public function testWithoutThePythonPackageItsPathIsNamed(): void
    {
        $extension = self::installation(['tortoise.so', 'bin/tortoise']);
        $message = self::message(['extension' => $extension]);
        self::assertStringContainsString(\dirname($extension) . '/lib/tortoise/tortoise_worker', $message);
        self::assertStringContainsString('is missing', $message);
    }

    /** @dataProvider brokenInterpreters */
    public function testAnInterpreterThatIsOfNoUseIsNamedWithTheReason(string $script, string $reason): void
    {
        $python = self::sandbox()->write('broken-python', $script);
        chmod($python, 0o755);
        $message = self::message(['tortoise.python' => $python]);
        self::assertStringContainsString($python, $message);
        self::assertStringContainsString($reason, $message);
        self::assertStringContainsString('its log is ', $message);
    }

    /** @return iterable<string, array{string, string}> */
    public static function brokenInterpreters(): iterable
    {
        yield 'a shell script that fails' => ["#!/bin/sh\necho I am no Python >&2\nexit 7\n", 'I am no Python'];
        yield 'its exit status' => ["#!/bin/sh\nexit 7\n", 'exit status 7'];
        yield 'one that is killed' => ["#!/bin/sh\nkill -9 $$\n", 'killed by SIGKILL'];
        yield 'a script without an interpreter' => ["#!/nowhere/python\n", 'No such file or directory'];
        yield 'nonsense on the control socket' => [
            "#!/bin/sh\nexec " . getenv('TORTOISE_PYTHON') . ' -IS -c "import socket; socket.socket(fileno=$4).send(b\'hello\')" ' . "\n",
            'does not speak the control protocol',
        ];
    }

    public function testAnOldInterpreterIsToldWhichIsNeeded(): void
    {
        $python = (string) getenv('TORTOISE_PYTHON');
        // What runs our package's first lines believes that it is Python 3.9.
        $script = "#!/bin/sh\nexec {$python} -c 'import sys, runpy; sys.path.insert(0, \"\"); sys.version_info = (3, 9, 2); "
            . "sys.argv = [\"-m\"]; runpy.run_module(\"tortoise_worker\", run_name=\"__main__\")'\n";
        $old = self::sandbox()->write('old-python', $script);
        chmod($old, 0o755);
        $message = self::message(['tortoise.python' => $old]);
        self::assertStringContainsString('Python 3.11 or newer is needed, this is 3.9.2', $message);
        self::assertStringContainsString($old, $message);
    }

    public function testAnInterpreterThatIsNotThereIsNamed(): void
    {
        $message = self::message(['tortoise.python' => '/nowhere/bin/python3']);
        self::assertStringContainsString('/nowhere/bin/python3', $message);
        self::assertStringContainsString('tortoise.python', $message);

        $file = self::sandbox()->write('not-executable', '');
        self::assertStringContainsString($file, self::message(['tortoise.python' => $file]));
    }

    public function testAVenvIsUsedAsOne(): void
    {
        $venv = self::sandbox()->path('venv');
        $result = self::sandbox()->run([(string) getenv('TORTOISE_PYTHON'), '-m', 'venv', '--without-pip', $venv])->wait();
        self::assertSame(0, $result->exitCode, (string) $result);
        $classes = ['Prefix.py' => "import sys\nclass Prefix:\n    def get(self): return sys.prefix\n"];
        $code = 'echo (new Prefix())->get();';
        self::assertSame($venv, self::php($code, ['tortoise.python' => "{$venv}/bin/python"], $classes)->cleanOutput());
    }

    public function testAVenvThatWasDeletedIsNamed(): void
    {
        $gone = self::sandbox()->path('venv/bin/python');
        self::assertStringContainsString($gone, self::message(['tortoise.python' => $gone]));
    }

    public function testTheErrorIsTheSameAtEachUseAndTheScriptGoesOn(): void
    {
        $code = str_repeat(self::CODE . ' echo "\n";', 2) . 'echo "still here";';
        $lines = explode("\n", self::php($code, ['tortoise.python' => '/nowhere/python'])->cleanOutput());
        self::assertSame($lines[0], $lines[1]);
        self::assertSame('still here', $lines[2]);
    }

    /** @dataProvider wrongSettings */
    public function testSettingsThatMakeNoSenseAreSaid(string $name, string $value, string $expected): void
    {
        $code = 'try { new Life_Thing(); } catch (Tortoise\Exception $e) { echo $e::class, ": ", $e->getMessage(); }';
        $message = self::php($code, [$name => $value])->cleanOutput();
        self::assertStringContainsString($name, $message);
        self::assertStringContainsString($expected, $message);
    }

    /** @return list<array{string, string, string}> */
    public static function wrongSettings(): array
    {
        return [
            ['tortoise.server', '/run/t.sock', 'unix:///path/to/socket'],
            ['tortoise.server', 'unix://t.sock', 'absolute'],
            ['tortoise.server', 'unix:///' . str_repeat('x', 107), '107 bytes'],
            ['tortoise.server', 'tls://localhost:1', 'unix:///path/to/socket'],
            ['tortoise.timeout', 'soon', 'number of seconds'],
            ['tortoise.timeout', '-1', 'number of seconds'],
            ['tortoise.timeout', 'NAN', 'number of seconds'],
        ];
    }

    /** @param array<string, string> $ini */
    private static function message(array $ini): string
    {
        return self::php(self::CODE, $ini)->cleanOutput();
    }

    /**
     * A copy of some files of the build. Gives the path of the extension.
     *
     * @param list<string> $files
     */
    private static function installation(array $files): string
    {
        $from = \dirname((string) getenv('TORTOISE_EXTENSION'));
        $folder = self::sandbox()->path('dist');
        foreach ($files as $file) {
            is_dir(\dirname("{$folder}/{$file}")) || mkdir(\dirname("{$folder}/{$file}"), 0o755, true);
            // A link would lead back to the whole build.
            copy("{$from}/{$file}", "{$folder}/{$file}");
            chmod("{$folder}/{$file}", 0o755);
        }

        return "{$folder}/tortoise.so";
    }
}
