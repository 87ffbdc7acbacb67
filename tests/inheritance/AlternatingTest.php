<?php

declare(strict_types=1);

namespace Tortoise\Tests\Inheritance;

use Tortoise\Tests\Support\TestCase;

/** Chains of classes in which the languages take turns: each level's own method is reached once, in its order. */
final class AlternatingTest extends TestCase
{
    private const MIDDLE = <<<'PYTHON'
        from php import Bottom

        class Py_Middle(Bottom):
            def __init__(self, name):
                self.made = ["Middle"]
                super().__init__(name)
                self.made = [*self.made, "Middle done"]

            def chain(self): return ["Middle", *super().chain()]
            def step(self): return "Middle"
            def only_middle(self): return ["Middle", self.step()]
            def protected_of_bottom(self): return self.hidden()
            def levels(self): return [cls.__name__ for cls in type(self).__mro__][:3]
            def is_all(self): return [isinstance(self, Py_Middle), isinstance(self, Bottom)]
            @classmethod
            def make(cls, name): return cls(name)
        PYTHON;

    private const BOTTOM = <<<'PHP'
        abstract class Bottom {
            public $level = 'Bottom';
            public function __construct(public string $name) {}
            public function chain() { return ['Bottom']; }
            public function steps() { return ['Bottom', $this->step(), static::class]; }
            protected function hidden() { return 'hidden in Bottom'; }
            abstract public function step();
        }
        PHP;

    private const TOP = <<<'PHP'
        class Top extends Py_Middle {
            public $level = 'Top';
            public $own = [];
            public function __construct($name) { $this->own[] = 'Top'; parent::__construct($name . '!'); $this->own[] = 'Top done'; }
            public function chain() { return ['Top', ...parent::chain()]; }
            public function step() { return 'Top, ' . parent::step(); }
            protected function hidden() { return 'Top, ' . parent::hidden(); }
        }
        PHP;

    public function testPhpExtendsPythonExtendsPhp(): void
    {
        $facts = self::evaluate(self::BOTTOM . self::TOP . <<<'PHP'
            $top = new Top('n');
            $made = Top::make('m');
            $middle = new Py_Middle('p');
            return [
                $top->chain(), $top->steps(), $top->only_middle(), $top->protected_of_bottom(), $top->name, $top->level, $top->own, $top->made,
                $top->levels(), $top->is_all(), class_parents($top),
                get_class($made), $made->name, $made->own, $made->made, $made->chain(),
                $middle->chain(), $middle->steps(), $middle->protected_of_bottom(),
            ];
            PHP, classes: ['Py/Middle.py' => self::MIDDLE]);

        self::assertSame([
            ['Top', 'Middle', 'Bottom'], ['Bottom', 'Top, Middle', 'Top'], ['Middle', 'Top, Middle'], 'Top, hidden in Bottom', 'n!', 'Top',
            ['Top', 'Top done'], ['Middle', 'Middle done'],
            ['Top', 'Py_Middle', 'Bottom'], [true, true], ['Py_Middle' => 'Py_Middle', 'Bottom' => 'Bottom'],
            'Top', 'm!', ['Top', 'Top done'], ['Middle', 'Middle done'], ['Top', 'Middle', 'Bottom'],
            ['Middle', 'Bottom'], ['Bottom', 'Middle', 'Py_Middle'], 'hidden in Bottom',
        ], $facts);
    }

    public function testPythonExtendsPhpExtendsPython(): void
    {
        $facts = self::evaluate(<<<'PHP'
            class Between extends Py_Root {
                protected $count = 0;
                public function chain() { $this->count++; return ['Between', ...parent::chain()]; }
                public function step() { return 'Between, ' . parent::step(); }
                public function counted() { return $this->count; }
            }
            $top = new Py_Top('n');
            return [
                $top->chain(), $top->walk(), $top->counted(), $top->name, $top instanceof Between, $top instanceof Py_Root,
                get_parent_class($top), $top->is_root(), $top->raise_count(), $top->counted(),
            ];
            PHP, classes: [
                'Py/Root.py' => <<<'PYTHON'
                    class Py_Root:
                        def __init__(self, name): self.name = name
                        def chain(self): return ["Root"]
                        def step(self): return "Root"
                        def walk(self): return ["walk", self.step()]
                        def is_root(self): return isinstance(self, Py_Root)
                    PYTHON,
                'Py/Top.py' => <<<'PYTHON'
                    from php import Between

                    class Py_Top(Between):
                        def chain(self): return ["Top", *super().chain()]
                        def step(self): return "Top, " + super().step()
                        def raise_count(self): self.count += 10; return self.count
                    PYTHON,
            ]);

        self::assertSame([
            ['Top', 'Between', 'Root'], ['walk', 'Top, Between, Root'], 1, 'n', true, true,
            'Between', true, 11, 11,
        ], $facts);
    }

    public function testDeepRecursionThroughTheLevelsEnds(): void
    {
        $facts = self::evaluate(self::BOTTOM . <<<'PHP'
            class Deep extends Py_Middle {
                public function step() { return $this->only_middle(); }
            }
            try {
                (new Deep('n'))->step();
                return 'no end';
            } catch (Throwable $error) {
                return [(bool) preg_match('/depth|deep/i', $error->getMessage()), (new Py_Middle('still'))->step()];
            }
            PHP, classes: ['Py/Middle.py' => self::MIDDLE]);

        self::assertSame([true, 'Middle'], $facts);
    }
}
