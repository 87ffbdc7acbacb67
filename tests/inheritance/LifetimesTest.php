<?php

declare(strict_types=1);

namespace Tortoise\Tests\Inheritance;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** Which half of an object keeps which alive, and that none is left over. */
final class LifetimesTest extends TestCase
{
    private const CLASSES = [
        'Py/Node.py' => <<<'PYTHON'
            import gc
            import weakref
            from php import Node

            KEPT = []
            LIVE = weakref.WeakSet()

            class Py_Node(Node):
                def __init__(self, load):
                    super().__init__(load)
                    LIVE.add(self)
                def keep(self): KEPT.append(self)
                @staticmethod
                def kept(): return KEPT[-1]
                @staticmethod
                def drop(): KEPT.clear()
                @staticmethod
                def live():
                    gc.collect()
                    return len(LIVE)
                def hold(self, other): self.other = other
            PYTHON,
        'Py/Base.py' => <<<'PYTHON'
            class Py_Base:
                def __init__(self, load): self.load = load
                def value(self): return self.load
                def use(self): return self.value()
            PYTHON,
    ];

    private const PHP = <<<'PHP'
        class Node {
            public static $destroyed = 0;
            public $load;
            public $next;
            public function __construct($load) { $this->load = $load; }
            public function __destruct() { self::$destroyed++; }
        }
        PHP;

    public function testWhatPythonKeepsIsKeptWhole(): void
    {
        $facts = self::evaluate(self::PHP . <<<'PHP'
            $node = new Py_Node('load');
            $node->next = 'in PHP';
            $node->mine = 'in Python';
            $node->keep();
            $id = spl_object_id($node);
            unset($node);
            $again = Py_Node::kept();
            $facts = [$again->load, $again->next, $again->mine, spl_object_id($again) === $id, get_class($again), Py_Node::live()];
            unset($again);
            Py_Node::drop();
            return [...$facts, Py_Node::live(), Node::$destroyed];
            PHP, classes: self::CLASSES);

        self::assertSame(['load', 'in PHP', 'in Python', true, 'Py_Node', 1, 0, 1], $facts);
    }

    public function testMemoryStaysLevel(): void
    {
        $facts = self::evaluate(self::PHP . <<<'PHP'
            class Below extends Py_Base { public $big; public function value() { return parent::value() + 1; } }
            $rounds = function (int $count) {
                for ($at = 0; $at < $count; $at++) {
                    $node = new Py_Node(str_repeat('x', 100));
                    $node->other = new Below($at);
                    if ($node->other->use() !== $at + 1) { throw new Exception('wrong'); }
                }
                unset($node);
                return [Py_Node::live(), memory_get_usage(), Tortoise\status()['objects']];
            };
            [, $before, $objects] = $rounds(2_000);
            [$live, $after, $then] = $rounds(20_000);
            return [$live, $after - $before < 64 << 10, $then - $objects];
            PHP, classes: self::CLASSES);

        self::assertSame([0, true, 0], $facts);
    }

    public function testCyclesAcrossTheBorderEndWithTheRequest(): void
    {
        $result = self::php(self::PHP . <<<'PHP'
            register_shutdown_function(fn () => print('live ' . Py_Node::live() . '; '));
            for ($at = 0; $at < 3; $at++) {
                $first = new Py_Node($at);
                $second = new Py_Node($at);
                $first->next = $second;
                $second->hold($first);
            }
            unset($first, $second);
            PHP, classes: self::CLASSES);

        self::assertSame('live 6; ', $result->cleanOutput());
    }

    public function testASessionForgetsTheObjectsOfTheRequestBefore(): void
    {
        // Both requests are one session's, so what the first leaves is what the second sees.
        $script = self::PHP . <<<'PHP'
            echo Py_Node::live(), ' ';
            $first = new Py_Node(1);
            $second = new Py_Node(2);
            $first->next = $second;
            $second->hold($first);
            echo Py_Node::live(), "\n";
            PHP;
        foreach (self::CLASSES as $file => $source) {
            self::sandbox()->writeClass($file, $source);
        }
        $server = new HttpServer(self::sandbox(), $script);

        self::assertSame(["0 2\n", "0 2\n"], [$server->get(), $server->get()]);
    }

    public function testPhpsOwnDestructorRunsOnce(): void
    {
        $facts = self::evaluate(self::PHP . <<<'PHP'
            $node = new Py_Node(1);
            $node->keep();
            unset($node);
            $kept = Py_Node::kept();
            unset($kept);
            $before = Node::$destroyed;
            Py_Node::drop();
            Py_Node::live();
            return [$before, Node::$destroyed];
            PHP, classes: self::CLASSES);

        self::assertSame([1, 1], $facts);
    }
}
