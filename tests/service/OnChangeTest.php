<?php

declare(strict_types=1);

namespace Tortoise\Tests\Service;

use Tortoise\Tests\Support\Edited;
use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `reload = "on-change"`: the next request of the same PHP process sees an edited file. */
final class OnChangeTest extends TestCase
{
    private Sidecar $sidecar;

    /** An edited file is seen by the next request, in whichever of the ways the module came into the session. */
    public function testAClassFile(): void
    {
        $this->write(1);
        $this->serve();
        $server = new HttpServer(self::sandbox(), Edited::SHOW, ['tortoise.server' => $this->sidecar->address]);
        [, , $first] = Edited::shown($server->get());
        self::assertSame([1, 1, $first], Edited::shown($server->get()), 'nothing changed');
        foreach ([2, 3, 4] as $version) {
            $this->write($version);
            self::assertSame([$version, $version], \array_slice(Edited::shown($server->get()), 0, 2));
        }
        // What was written just before it was loaded may be loaded once more.
        for ($request = 0; $request < 5; $request++) {
            $sessions[] = Edited::shown($server->get())[2];
        }
        self::assertSame($sessions[3], $sessions[4], 'the session stays where nothing changes');
    }

    public function testAModuleThatTheClassUses(): void
    {
        self::sandbox()->writeClass('parts/__init__.py', '');
        $part = self::sandbox()->writeClass('parts/number.py', "NUMBER = 1\n");
        self::sandbox()->writeClass('Whole.py', "from parts.number import NUMBER\n\n\nclass Whole:\n    number = NUMBER\n");
        $this->serve();
        $server = new HttpServer(self::sandbox(), Script::ATTEMPT . 'attempt(fn() => (new Whole())->number);', [
            'tortoise.server' => $this->sidecar->address,
        ]);
        self::assertSame("value: 1\n", $server->get());
        Edited::replace($part, "NUMBER = 2  # edited\n");
        self::assertSame("value: 2\n", $server->get());
    }

    public function testAPreloadedModule(): void
    {
        $this->write(1);
        $this->serve(['--preload', 'Edited']);
        $server = new HttpServer(self::sandbox(), Edited::SHOW, ['tortoise.server' => $this->sidecar->address]);
        self::assertSame(1, Edited::shown($server->get())[0]);
        foreach ([2, 3] as $version) {
            $this->write($version);
            self::assertSame([$version, $version], \array_slice(Edited::shown($server->get()), 0, 2));
        }
    }

    /** What development without any settings does: the private sidecar. */
    public function testThePrivateSidecarSeesAnEditedFile(): void
    {
        $this->write(1);
        $server = new HttpServer(self::sandbox(), Edited::SHOW);
        self::assertSame(1, Edited::shown($server->get())[0]);
        $this->write(2);
        self::assertSame([2, 2], \array_slice(Edited::shown($server->get()), 0, 2));
    }

    /** @param list<string> $arguments */
    private function serve(array $arguments = []): void
    {
        $this->sidecar = new Sidecar(self::sandbox(), ['--reload', 'on-change', ...$arguments]);
    }

    private function write(int $version): void
    {
        Edited::write(self::sandbox(), $version);
    }
}
