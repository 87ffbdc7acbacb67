<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Code that cannot be preloaded: nothing starts, or what runs goes on, or clients are refused at once; and no CPU is burned. */
final class CrashLoopTest extends TestCase
{
    private const SOUND = "NUMBER = 1\n";
    private const BROKEN = "NUMBER = 1 / 0\n";
    private const CODE = 'try { echo (new Shop())->number(); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(); }';

    public function testItDoesNotStartWithAModuleThatCannotBePreloaded(): void
    {
        $this->write(self::BROKEN);
        $command = [Sidecar::binary(), 'serve', '--listen', 'unix://' . self::sandbox()->path('serve.sock')];
        $result = self::sandbox()->run([...$command, '--path', self::sandbox()->classes, '--preload', 'shop_settings'])->wait();
        self::assertNotSame(0, $result->exitCode);
        foreach (['shop_settings', 'division by zero'] as $part) {
            self::assertStringContainsString($part, $result->errors);
        }
    }

    public function testAReloadIntoBrokenCodeIsRefusedAndTheOldCodeGoesOn(): void
    {
        $sidecar = $this->started();
        $worker = $sidecar->status()['workers'][0]['pid'];
        $this->write(self::BROKEN);
        $reloaded = $sidecar->ask('reload');
        self::assertSame(1, $reloaded->exitCode);
        foreach (['shop_settings', 'division by zero'] as $part) {
            self::assertStringContainsString($part, $reloaded->errors);
        }
        self::assertSame('1', $this->number($sidecar));
        $status = $sidecar->status();
        self::assertSame([$worker], array_column($status['workers'], 'pid'));
        self::assertSame('ready', $status['state']);
    }

    public function testAWorkerThatCannotStartAnyMoreIsSaidToEveryClientAtOnceAndMendedByAReload(): void
    {
        $sidecar = $this->started();
        $this->write(self::BROKEN);
        Processes::signal($sidecar->status()['workers'][0]['pid'], \SIGKILL);
        $sidecar->awaitLine('/broken: \d+ workers have failed in a row/');
        self::assertSame('broken', $sidecar->status()['state']);
        $begin = hrtime(true);
        $message = $this->number($sidecar);
        self::assertLessThan(5.0, (hrtime(true) - $begin) / 1e9, 'seconds until the refusal');
        self::assertStringContainsString('division by zero', $message);
        self::assertTrue(Processes::runs($sidecar->pid()));

        $this->write(self::SOUND);
        $reloaded = $sidecar->ask('reload');
        self::assertSame(0, $reloaded->exitCode, (string) $reloaded);
        self::assertSame('1', $this->number($sidecar));
        self::assertSame('ready', $sidecar->status()['state']);
    }

    private function started(): Sidecar
    {
        $this->write(self::SOUND);
        $sidecar = new Sidecar(self::sandbox(), ['--preload', 'shop_settings']);
        self::assertSame('1', $this->number($sidecar));

        return $sidecar;
    }

    private function write(string $settings): void
    {
        self::sandbox()->writeClass('shop_settings.py', $settings);
        self::sandbox()->writeClass('Shop.py', "import shop_settings\nclass Shop:\n    def number(self): return shop_settings.NUMBER\n");
    }

    /** What a new PHP process gets from the class: the number, or why it cannot be had. */
    private function number(Sidecar $sidecar): string
    {
        return self::php(self::CODE, ['tortoise.server' => $sidecar->address])->cleanOutput();
    }
}
