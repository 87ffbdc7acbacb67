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
        foreach ([$sidecar->address, $port] as $address) {
            $finding = $checks["test call over {$address}"]['finding'] ?? '';
            self::assertMatchesRegularExpression('/^\d+\.\d ms from the hello to the welcome/', $finding);
        }

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

    public function testMemoryThatIsRefusedIsAWarning(): void
    {
        $result = self::sandbox()->run(['prlimit', '--fsize=1000000', Sidecar::binary(), 'doctor'])->wait();
        self::assertStringContainsString('warning  shared memory: refused (File too large', $result->cleanOutput());
        self::assertStringContainsString('over the Unix socket', $result->output);
    }

    private function doctor(string ...$arguments): ProcessResult
    {
        return self::sandbox()->run([Sidecar::binary(), 'doctor', ...$arguments])->wait();
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
