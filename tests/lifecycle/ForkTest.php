<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\TestCase;

/** pcntl_fork: the child has a session of its own, and nothing of what it does reaches the parent's. */
final class ForkTest extends TestCase
{
    private const FORK = 'function inChild(callable $do): int { $child = pcntl_fork(); if ($child === 0) { $do(); exit(0); }'
        . ' pcntl_waitpid($child, $status); return pcntl_wifsignaled($status) ? -pcntl_wtermsig($status) : pcntl_wexitstatus($status); }';

    public function testTheChildReconnectsAndTheParentGoesOn(): void
    {
        $lines = self::lines(<<<'PHP'
            $o = new Life_Thing('parent');
            $session = $o->pid();
            $status = inChild(function () use ($o, $session) {
                try {
                    $o->pid();
                } catch (Tortoise\StaleObjectException $e) {
                    echo str_contains($e->getMessage(), 'fork') ? "stale\n" : $e->getMessage();
                }
                $own = new Life_Thing('child');
                echo $own->pid() !== $session ? "own session\n" : "shared!\n", $own->made(), "\n", $own->name, "\n";
            });
            echo "{$status}\n", $o->pid() === $session ? "same session\n" : "lost\n", $o->name, "\n", Life_Thing::living(), "\n";
            PHP);
        self::assertSame(['stale', 'own session', '1', 'child', '0', 'same session', 'parent', '1', ''], $lines);
    }

    public function testTheChildsEndReleasesNothingOfTheParent(): void
    {
        $lines = self::lines(<<<'PHP'
            $list = array_map(fn($i) => new Life_Thing("$i"), range(1, 10));
            echo inChild(function () use (&$list) { $list = []; gc_collect_cycles(); }), "\n";
            echo inChild(fn() => null), "\n";
            echo inChild(function () { unset($GLOBALS['list']); new Life_Thing(); }), "\n";
            echo Life_Thing::living(), "\n", implode(',', array_map(fn($o) => $o->name, $list)), "\n";
            PHP);
        self::assertSame(['0', '0', '0', '10', '1,2,3,4,5,6,7,8,9,10', ''], $lines);
    }

    public function testManyChildrenAtOnce(): void
    {
        $lines = self::lines(<<<'PHP'
            $o = new Life_Thing();
            $children = [];
            for ($i = 0; $i < 8; $i++) {
                if (($child = pcntl_fork()) === 0) {
                    for ($n = 0; $n < 50; $n++) {
                        $own ??= new Life_Thing("c{$i}");
                        $own->name = "{$i}-{$n}";
                        if ($own->name !== "{$i}-{$n}") {
                            exit(1);
                        }
                    }
                    exit(0);
                }
                $children[] = $child;
            }
            for ($n = 0; $n < 50; $n++) {
                $o->name = "p{$n}";
                if ($o->name !== "p{$n}") {
                    exit(1);
                }
            }
            foreach ($children as $child) {
                pcntl_waitpid($child, $status);
                echo pcntl_wexitstatus($status);
            }
            PHP);
        self::assertSame(['00000000'], $lines);
    }

    public function testAForkBeforeTheFirstUse(): void
    {
        $lines = self::lines(<<<'PHP'
            echo inChild(function () { echo (new Life_Thing('c'))->name, "\n"; }), "\n";
            echo (new Life_Thing('p'))->name, "\n";
            PHP);
        self::assertSame(['c', '0', 'p', ''], $lines);
    }

    /** Classes that the parent declared are the child's too, and mean its own session's classes. */
    public function testClassesOfTheParentWorkInTheChild(): void
    {
        $lines = self::lines(<<<'PHP'
            class Mine extends Life_Thing { function name() { return "mine " . $this->name; } }
            $o = new Mine('p');
            echo inChild(function () {
                echo Life_Thing::living(), " ", Life_Thing::SIDES, " ", (new Mine('c'))->name(), " ", Life_Thing::living(), "\n";
            }), "\n", $o->name(), "\n";
            PHP);
        self::assertSame(['0 2 mine c 0', '0', 'mine p', ''], $lines);
    }

    public function testAGrandchild(): void
    {
        $lines = self::lines(<<<'PHP'
            $o = new Life_Thing('p');
            echo inChild(function () {
                $c = new Life_Thing('c');
                echo inChild(function () use ($c) {
                    try { $c->name; } catch (Tortoise\StaleObjectException) { echo "stale\n"; }
                    echo (new Life_Thing('g'))->name, "\n";
                }), $c->name, "\n";
            }), $o->name, "\n";
            PHP);
        self::assertSame(['stale', 'g', '0c', '0p', ''], $lines);
    }

    /** @return list<string> */
    private static function lines(string $code): array
    {
        return explode("\n", self::php(self::FORK . $code)->cleanOutput());
    }
}
