<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** A sidecar in the background with real sessions: started, asked, reloaded and stopped by commands. */
final class CommandsTest extends TestCase
{
    private string $config;

    protected function setUp(): void
    {
        parent::setUp();
        self::sandbox()->writeClass('Page.py', $this->source('first'));
        $socket = self::sandbox()->path('t.sock');
        $this->config = self::sandbox()->write('t.toml', "path = ['classes']\n[[listen]]\naddress = 'unix://{$socket}'\n");
    }

    protected function tearDown(): void
    {
        // It is nobody's child.
        $this->tortoise('stop');
        parent::tearDown();
    }

    public function testFromStartToStop(): void
    {
        $result = $this->tortoise('start');
        self::assertSame(0, $result->exitCode, (string) $result);
        self::assertMatchesRegularExpression('/^tortoise runs as process (\d+) and listens on unix:/', $result->output);
        $pid = (int) trim((string) file_get_contents(self::sandbox()->path('t.pid')));

        $php = self::startPhp(
            <<<'PHP'
                $page = new Page();
                foreach (range(1, 4) as $_) {
                    echo $page->text(), "\n";
                    fgets(STDIN);
                }
                PHP,
            ['tortoise.server' => 'unix://' . self::sandbox()->path('t.sock')],
        );
        self::assertSame('first', $php->readLine());
        $status = $this->status();
        self::assertSame([$pid, 'ready'], [$status['pid'], $status['state']]);
        self::assertSame(self::sandbox()->path('t.log'), $status['log']);
        $busy = array_values(array_filter($status['list'], static fn(array $session): bool => $session['state'] === 'busy'));
        self::assertSame([$php->pid], array_column($busy, 'client'));
        self::assertStringContainsString(' busy ', $this->tortoise('status')->output);

        // A request ends with the code that it began with; the next has the new.
        self::sandbox()->writeClass('Page.py', $this->source('second'));
        $result = $this->tortoise('reload');
        self::assertMatchesRegularExpression('/^reloaded: worker \d+ takes new sessions\n$/', $result->output, (string) $result);
        $php->writeLine();
        self::assertSame('first', $php->readLine());
        self::assertSame('"second"', trim($this->tortoise('call', 'Page.text')->output));
        $php->writeLine();
        $php->writeLine();
        $php->writeLine();
        $php->wait();

        $result = $this->tortoise('stop');
        self::assertSame("stopped: process {$pid} has left\n", $result->output, (string) $result);
        // It may still wait to be buried.
        self::assertMatchesRegularExpression('/^$|\) Z /', (string) @file_get_contents("/proc/{$pid}/stat"));
        self::assertFileDoesNotExist(self::sandbox()->path('t.pid'));
        self::assertFileDoesNotExist(self::sandbox()->path('t.sock'));
    }

    /** @return array<string, mixed> */
    private function status(): array
    {
        return json_decode($this->tortoise('status', '--json')->output, true, flags: \JSON_THROW_ON_ERROR);
    }

    private function tortoise(string $command, string ...$arguments): ProcessResult
    {
        return self::sandbox()->run([Sidecar::binary(), $command, '--config', $this->config, ...$arguments])->wait();
    }

    private function source(string $text): string
    {
        return "class Page:\n    def text(self):\n        return \"{$text}\"\n";
    }
}
