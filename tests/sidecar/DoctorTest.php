<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `tortoise doctor` beside a real sidecar with real sessions. */
final class DoctorTest extends TestCase
{
    private const TOKEN = 'a token of more than thirty-two bytes';

    public function testItFindsTheSidecarOnItsSocketAndItsPort(): void
    {
        $token = $this->token(self::TOKEN);
        $sidecar = new Sidecar(self::sandbox(), ['--listen', 'tcp://127.0.0.1:0', '--token-file', $token], __DIR__);
        $line = $sidecar->awaitLine('/ready: listening on tcp/');
        $port = substr($line, (int) strpos($line, 'tcp://'));
        $file = self::sandbox()->write('tortoise.toml', <<<TOML
            path = ['{$this->here()}']
            token_file = 'token'
            [[listen]]
            address = '{$sidecar->address}'
            [[listen]]
            address = '{$port}'
            TOML);
        $result = $this->doctor('--config', $file, '--json');
        $checks = array_column(json_decode($result->cleanOutput(), true), null, 'name');
        foreach (['shared memory', 'settings', 'interpreter', $sidecar->address, $port] as $name) {
            self::assertSame('ok', $checks[$name]['verdict'] ?? null, (string) $result);
        }
        self::assertStringContainsString('version ' . phpversion('tortoise'), $checks[$port]['finding']);
        foreach ([$sidecar->address => 'shared memory', $port => 'tcp socket'] as $address => $carrier) {
            self::assertMatchesRegularExpression(
                '/ answers: \d+\.\d ms from the hello to the welcome of session process \d+$/',
                $checks[$address]['finding'],
            );
            $finding = $checks["test call over {$address}"]['finding'] ?? '';
            self::assertMatchesRegularExpression("/^\\d+\\.\\d µs for a call over {$carrier}, in session/", $finding);
            self::assertArrayHasKey("log of {$address}", $checks);
        }
        $rights = $checks["rights of {$sidecar->address}"];
        self::assertStringContainsString('with mode 0600: PHP must run as that user', $rights['finding']);

        $this->token(strrev(self::TOKEN));
        $result = $this->doctor('--config', $file);
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString("ok       {$sidecar->address}: ", $result->output);
        self::assertStringContainsString("failure  {$port}: the sidecar refuses: the client's token", $result->output);
        self::assertStringNotContainsString(self::TOKEN, $result->output . $result->errors);
        self::assertSame("error: 1 of the checks above failed\n", $result->errors);
    }

    public function testAnInterpreterThatCannotRunSessionsIsAFailure(): void
    {
        $result = $this->doctor('--python', '/nowhere/python');
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString('failure  interpreter: ', $result->output);
        self::assertStringContainsString('/nowhere/python', $result->output);
        self::assertStringContainsString('→ set python (--python', $result->output);
    }

    public function testAPhpThatDoesNotLoadTheExtensionIsToldWhatToDo(): void
    {
        $folder = self::sandbox()->path('conf.d');
        mkdir($folder);
        $result = $this->doctor('--php', $this->phpWith($folder));
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString('failure  PHP extension: ', $result->output);
        self::assertStringContainsString('does not load tortoise.so', $result->output);
        // It stands beside the binary, as in dist/ and after `make install`.
        $line = 'write the line `extension=' . getenv('TORTOISE_EXTENSION') . "` into {$folder}/tortoise.ini";
        self::assertStringContainsString($line, $result->output);

        // And what it says is right.
        file_put_contents("{$folder}/tortoise.ini", 'extension=' . getenv('TORTOISE_EXTENSION') . "\n");
        $result = $this->doctor('--php', $this->phpWith($folder));
        self::assertStringContainsString('with tortoise.so of version ' . phpversion('tortoise'), $result->output);
        self::assertStringContainsString('warning  PHP settings: tortoise.path is empty', $result->output);

        file_put_contents("{$folder}/tortoise.ini", "tortoise.path=/srv/classes\n", \FILE_APPEND);
        $result = $this->doctor('--php', $this->phpWith($folder), '--listen', 'unix://' . self::sandbox()->path('t.sock'));
        $warning = 'tortoise.server is auto, and the sidecar\'s settings listen at unix://';
        self::assertStringContainsString("warning  PHP settings: {$warning}", $result->output);
        self::assertStringContainsString('there is none yet, and user', $result->output);

        file_put_contents("{$folder}/tortoise.ini", "extension=/nowhere/tortoise.so\n");
        $result = $this->doctor('--php', $this->phpWith($folder));
        self::assertStringContainsString('cannot load tortoise.so: ', $result->output);
        self::assertStringContainsString('/nowhere/tortoise.so', $result->output);
    }

    public function testWithoutAnAddressAPrivateSidecarIsTried(): void
    {
        $checks = array_column(json_decode($this->doctor('--json')->output, true), null, 'name');
        self::assertSame('ok', $checks['test call']['verdict'] ?? null, json_encode($checks));
        self::assertMatchesRegularExpression(
            '/^through a private sidecar, \d+\.\d µs for a call over shared memory/',
            $checks['test call']['finding'],
        );
        self::assertSame([], glob(self::sandbox()->runtime . '/tortoise-call-*'));
    }

    public function testMemoryThatIsRefusedIsAWarning(): void
    {
        $result = self::sandbox()->run(['prlimit', '--fsize=1000000', Sidecar::binary(), 'doctor', '--php', '/nowhere/php'])->wait();
        self::assertStringContainsString('warning  shared memory: refused (File too large', $result->cleanOutput());
        self::assertStringContainsString('over the Unix socket', $result->output);
    }

    private function doctor(string ...$arguments): ProcessResult
    {
        $php = \in_array('--php', $arguments, true) ? [] : ['--php', '/nowhere/php'];

        return self::sandbox()->run([Sidecar::binary(), 'doctor', ...$php, ...$arguments])->wait();
    }

    /** This PHP, with the ini files of a folder. */
    private function phpWith(string $folder): string
    {
        $file = self::sandbox()->write('php', "#!/bin/sh\nPHP_INI_SCAN_DIR={$folder} exec " . \PHP_BINARY . ' "$@"' . "\n");
        chmod($file, 0o700);

        return $file;
    }

    private function token(string $token): string
    {
        $file = self::sandbox()->write('token', $token);
        chmod($file, 0o600);

        return $file;
    }

    private function here(): string
    {
        return __DIR__;
    }
}
