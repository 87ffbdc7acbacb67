<?php

declare(strict_types=1);

namespace Tortoise\Tests\Inheritance;

use Tortoise\Tests\Support\TestCase;

/** The two halves of an object find each other, wherever the one or the other is made, copied, kept or given away. */
final class HalvesTest extends TestCase
{
    private const CLASSES = ['Py/Base.py' => <<<'PYTHON'
        import gc
        import weakref

        KEPT = []
        LIVE = weakref.WeakSet()

        class Py_Base:
            def __init__(self, load):
                self.load = load
                LIVE.add(self)
            def value(self): return self.load
            def use(self): return self.value()
            @classmethod
            def build(cls, load): return cls(load)
            @classmethod
            def build_and_keep(cls, load):
                made = cls(load)
                made.mark = "of Python"
                made.use()
                KEPT.append(made)
            @staticmethod
            def drop(): KEPT.clear()
            @staticmethod
            def use_all(objects): return [each.use() for each in objects]
            @staticmethod
            def call(function): return function()
            @staticmethod
            def live():
                gc.collect()
                return len(LIVE)
        PYTHON];

    public function testHalvesAreMadeForValuesThatHoldTheObjects(): void
    {
        $facts = $this->in(<<<'PHP'
            class Late extends Py_Base {
                public $number;
                public function __construct($number) { $this->number = $number; }
                public function value() { return $this->number; }
            }
            $made = Py_Base::call(fn () => ['in' => new Late(7)]);
            return [Py_Base::use_all([new Late(1), new Late(2), new Late(3)]), $made['in']->number, $made['in']->use()];
            PHP);

        self::assertSame([[1, 2, 3], 7, 7], $facts);
    }

    public function testACloneHasBothHalvesOfItsOwn(): void
    {
        $facts = $this->in(<<<'PHP'
            class Copied extends Py_Base {
                public $number = 1;
                public function value() { return $this->number; }
            }
            $first = new Copied('load');
            $first->mark = 'first';
            $second = clone $first;
            $second->mark = 'second';
            $second->number = 2;
            return [$first->mark, $second->mark, $first->use(), $second->use(), $second->load, get_class($second)];
            PHP);

        self::assertSame(['first', 'second', 1, 2, 'load', 'Copied'], $facts);
    }

    public function testWhatADestructorSavesStaysWhole(): void
    {
        $facts = $this->in(<<<'PHP'
            class Saved extends Py_Base {
                public static $saved;
                public static $destructed = 0;
                public function __destruct() { self::$destructed++; self::$saved = $this; }
            }
            $object = new Saved(4);
            $object->mark = 'of Python';
            unset($object);
            $facts = [Saved::$saved->mark, Saved::$saved->use()];
            Saved::$saved = null;
            return [...$facts, Saved::$destructed, Py_Base::live()];
            PHP);

        self::assertSame(['of Python', 4, 1, 0], $facts);
    }

    public function testCyclesInPhpEnd(): void
    {
        $facts = $this->in(<<<'PHP'
            class Node extends Py_Base { public $other; }
            for ($at = 0; $at < 100; $at++) {
                $first = new Node(1);
                $second = new Node(2);
                $first->other = $second;
                $second->other = $first;
            }
            unset($first, $second);
            $before = Py_Base::live();
            // One run calls the destructors, and the next frees.
            gc_collect_cycles();
            gc_collect_cycles();
            return [$before, Py_Base::live()];
            PHP);

        self::assertSame([200, 0], $facts);
    }

    public function testPhpKeepsWhatPythonMade(): void
    {
        $facts = $this->in(<<<'PHP'
            class Registered extends Py_Base {
                public static $all = [];
                public $number = 5;
                public function value() { self::$all[] = $this; return 1; }
            }
            Registered::build_and_keep('load');
            Py_Base::drop();
            $facts = [Registered::$all[0]->mark, Registered::$all[0]->load, Registered::$all[0]->number, Py_Base::live()];
            Registered::$all = [];
            return [...$facts, Py_Base::live()];
            PHP);

        self::assertSame(['of Python', 'load', 5, 1, 0], $facts);
    }

    public function testAnExceptionOfAnOverridePassesThroughPython(): void
    {
        $facts = $this->in(<<<'PHP'
            class Throws extends Py_Base {
                public static $thrown;
                public function value() { throw self::$thrown = new DomainException('own', 7); }
            }
            try {
                (new Throws(1))->use();
            } catch (DomainException $caught) {
                return [$caught === Throws::$thrown, $caught->getCode()];
            }
            PHP);

        self::assertSame([true, 7], $facts);
    }

    public function testThereIsNoObjectOfAnAbstractClass(): void
    {
        $facts = $this->in(<<<'PHP'
            abstract class Unfinished extends Py_Base { abstract public function other(); }
            class Finished extends Unfinished { public function other() { return 'there'; } }
            try {
                Unfinished::build(1);
            } catch (Error $error) {
                return [str_contains($error->getMessage(), 'Unfinished'), Finished::build(1)->other(), Finished::build(2)->use()];
            }
            PHP);

        self::assertSame([true, 'there', 2], $facts);
    }

    public function testAnObjectOfTwoHalvesIsNotSerialized(): void
    {
        $facts = $this->in(<<<'PHP'
            class Plain extends Py_Base {}
            try {
                serialize(new Plain(1));
            } catch (Exception $refused) {
                return $refused->getMessage();
            }
            PHP);

        self::assertSame("Serialization of 'Plain' is not allowed", $facts);
    }

    private function in(string $code): mixed
    {
        return self::evaluate($code, classes: self::CLASSES);
    }
}
