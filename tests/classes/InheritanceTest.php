<?php

declare(strict_types=1);

namespace Tortoise\Tests\Classes;

use Tortoise\Tests\Support\TestCase;

/** Python's bases as PHP's parents, and overrides that PHP by itself would refuse. */
final class InheritanceTest extends TestCase
{
    public function testPythonsBasesArePhpsParents(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $puppy = new Kin_Puppy('Rex');
            return [
                array_values(class_parents($puppy)), class_implements($puppy),
                $puppy instanceof Kin_Animal, $puppy instanceof Kin_Dog, is_subclass_of($puppy, 'Kin_Animal'),
                is_a('Kin_Puppy', 'Kin_Dog', true), $puppy->name, $puppy->speak(), $puppy->sleep(), Kin_Puppy::LEGS, Kin_Puppy::kind(),
                (new ReflectionMethod('Kin_Puppy', 'sleep'))->getDeclaringClass()->getName(),
                (new ReflectionMethod('Kin_Puppy', 'speak'))->getDeclaringClass()->getName(),
                (new ReflectionMethod('Kin_Puppy', '__construct'))->getDeclaringClass()->getName(),
                Kin_Animal::kind(), $puppy->self()::class,
            ];
            PHP, classes: self::KIN);

        self::assertSame([
            ['Kin_Dog', 'Kin_Animal', 'Tortoise\PyObject'], ['Tortoise\Remote' => 'Tortoise\Remote'],
            true, true, true,
            true, 'Rex', 'wuff', 'zzz', 4, 'Kin_Puppy',
            'Kin_Animal', 'Kin_Puppy', 'Kin_Animal',
            'Kin_Animal', 'Kin_Puppy',
        ], $facts);
    }

    public function testAnOverrideWithAnotherSignatureIsWidened(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $method = function ($class, $name) {
                $method = new ReflectionMethod($class, $name);
                $names = array_map(
                    fn ($p) => ($p->isVariadic() ? '...' : '') . $p->getName() . ($p->isOptional() && !$p->isVariadic() ? '?' : ''),
                    $method->getParameters(),
                );
                return implode(', ', $names);
            };
            $child = new Wide_Child();
            $missing = [];
            foreach ([fn () => $child->more(1), fn () => $child->renamed(), fn () => $child->fewer(1, 2)] as $call) {
                try {
                    $missing[] = $call();
                } catch (Throwable $error) {
                    $missing[] = get_class($error) . ': ' . $error->getMessage();
                }
            }
            $names = ['more', 'fewer', 'renamed', 'variadic', 'same', 'defaulted'];
            return [
                array_combine($names, array_map(fn ($name) => $method('Wide_Child', $name), $names)),
                $child->more(1, 2), $child->more(a: 1, b: 2), $child->fewer(), $child->renamed(other: 5), $child->variadic(1),
                $child->same(1), $child->defaulted(), $missing, Tortoise\status()['widened'], $child instanceof Wide_Parent,
            ];
            PHP, classes: [
            'Wide/Parent.py' => <<<'PYTHON'
                class Wide_Parent:
                    def more(self, a): return ["parent", a]
                    def fewer(self, a, b=1): return ["parent", a, b]
                    def renamed(self, a): return ["parent", a]
                    def variadic(self, *rest): return ["parent", *rest]
                    def same(self, a): return ["parent", a]
                    def defaulted(self, a=1, b=2): return ["parent", a, b]
                PYTHON,
            'Wide/Child.py' => <<<'PYTHON'
                from Wide.Parent import Wide_Parent
                class Wide_Child(Wide_Parent):
                    def more(self, a, b): return [a, b]
                    def fewer(self): return ["none"]
                    def renamed(self, other): return [other]
                    def variadic(self, one): return [one]
                    def same(self, a): return [a]
                    def defaulted(self, a=3, b=4): return [a, b]
                PYTHON,
        ]);

        self::assertSame([
            'more' => 'a, b?', 'fewer' => '...arguments', 'renamed' => 'other', 'variadic' => 'one?, ...arguments',
            'same' => 'a', 'defaulted' => 'a?, b?',
        ], $facts[0]);
        self::assertSame([[1, 2], [1, 2], ['none'], [5], [1], [1], [3, 4]], \array_slice($facts, 1, 7));
        self::assertSame('ArgumentCountError: Wide_Child::more(): the argument is missing: $b', $facts[8][0]);
        self::assertSame('ArgumentCountError: Wide_Child::renamed(): the argument is missing: $other', $facts[8][1]);
        self::assertStringStartsWith('Tortoise\Python\TypeError: ', $facts[8][2]);
        self::assertStringContainsString('takes 1 positional argument but 3 were given', $facts[8][2]);
        self::assertSame([3, true], \array_slice($facts, 9));
    }

    /** PHP lets no static method override another, nor the other way round; Python has no such rule. */
    public function testAStaticMethodMayTakeThePlaceOfAnotherAndTheOtherWayRound(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $child = new Bound_Child();
            return [
                $child->was_static(), $child->was_instance(), (new Bound_Parent())->was_static(), (new Bound_Parent())->was_instance(),
                Bound_Parent::was_static(), $child->was_static(more: 1), Tortoise\status()['undeclared'], Bound_Child::was_instance(),
                Bound_Child::kept(),
            ];
            PHP, classes: [
            'Bound/Parent.py' => <<<'PYTHON'
                class Bound_Parent:
                    @staticmethod
                    def was_static(): return "parent static"
                    def was_instance(self): return "parent instance"
                    @classmethod
                    def kept(cls): return cls.__name__
                PYTHON,
            'Bound/Child.py' => <<<'PYTHON'
                from Bound.Parent import Bound_Parent
                class Bound_Child(Bound_Parent):
                    def was_static(self, more=0): return f"child instance {type(self).__name__} {more}"
                    @staticmethod
                    def was_instance(): return "child static"
                    @staticmethod
                    def kept(): return "static now"
                PYTHON,
        ]);

        self::assertSame([
            'child instance Bound_Child 0', 'child static', 'parent static', 'parent instance',
            'parent static', 'child instance Bound_Child 1', 2, 'child static',
            'static now',
        ], $facts);
    }

    public function testNamesThatDifferInCaseOnlyAreAllCallable(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $o = new Case_Clash();
            class Heir extends Case_Clash
            {
                public function Get() { return 'php ' . parent::Get() . parent::get(); }
            }
            return [
                $o->get(), $o->Get(), $o->GET(), $o->gEt(), get_class_methods($o), Case_Clash::LIMIT,
                (new Case_Child())->Get(), (new Case_Child())->get(), (new Case_Child())->GET(),
                Case_Clash::GET(), (new Heir())->Get(), (new Heir())->GET(),
            ];
            PHP, classes: [
            'Case/Clash.py' => <<<'PYTHON'
                class Case_Clash:
                    LIMIT = 1
                    def get(self): return "get"
                    def Get(self): return "Get"
                    @staticmethod
                    def GET(): return "GET"
                PYTHON,
            'Case/Child.py' => "from Case.Clash import Case_Clash\nclass Case_Child(Case_Clash):\n    def Get(self): return 'child'\n",
        ]);

        // A spelling that Python has not means the method that PHP declares.
        self::assertSame(['get', 'Get', 'GET', 'get', ['__construct', 'get', 'toArray'], 1], \array_slice($facts, 0, 6));
        self::assertSame(['child', 'get', 'GET'], \array_slice($facts, 6, 3));
        self::assertSame(['GET', 'php Getget', 'GET'], \array_slice($facts, 9));
    }

    public function testOfSeveralBasesTheFirstIsTheParentAndTheOthersGiveTheirMethods(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $duck = new Mixed_Duck();
            return [
                array_values(class_parents($duck)), $duck->swim(), $duck->fly(), $duck->glide(), $duck->both(), $duck->quack(),
                Mixed_Duck::WINGS, Mixed_Duck::FINS, Mixed_Duck::hatch()::class, get_class_methods('Mixed_Duck'), Tortoise\status()['lost_bases'],
                (new ReflectionMethod('Mixed_Duck', 'fly'))->getDeclaringClass()->getName(),
                (new Mixed_Duckling())->fly(), get_parent_class('Mixed_Duckling'),
            ];
            PHP, classes: self::MIXED);

        self::assertSame(['Mixed_Swimmer', 'Tortoise\PyObject'], $facts[0]);
        self::assertSame(['swims', 'flies', 'glides', 'swimmer', 'quacks', 2, 3, 'Mixed_Duck'], \array_slice($facts, 1, 8));
        self::assertEqualsCanonicalizing(['quack', 'swim', 'both', 'fly', 'glide', 'hatch'], array_diff($facts[9], ['__construct', 'toArray']));
        self::assertSame([1, 'Mixed_Duck', 'flies', 'Mixed_Duck'], \array_slice($facts, 10));
    }

    public function testADiamondFollowsPythonsOrder(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $both = new Diamond_Both();
            return [$both->who(), $both->only_right(), array_values(class_parents($both)), $both->chain()];
            PHP, classes: ['Diamond/Both.py' => <<<'PYTHON'
            class Diamond_Top:
                def who(self): return "top"
                def chain(self): return ["top"]
            class Diamond_Left(Diamond_Top):
                def chain(self): return ["left", *super().chain()]
            class Diamond_Right(Diamond_Top):
                def who(self): return "right"
                def only_right(self): return True
                def chain(self): return ["right", *super().chain()]
            class Diamond_Both(Diamond_Left, Diamond_Right):
                def chain(self): return ["both", *super().chain()]
            PYTHON]);

        self::assertSame([
            'right', true, ['Diamond_Left', 'Diamond_Top', 'Tortoise\PyObject'], ['both', 'left', 'right', 'top'],
        ], $facts);
    }

    public function testAConstructorMayDifferFromTheParents(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $required = fn ($class) => (new ReflectionMethod($class, '__construct'))->getNumberOfRequiredParameters();
            try {
                new Maker_Child();
            } catch (ArgumentCountError $error) {
            }
            return [
                $required('Maker_Base'), $required('Maker_Child'), (new Maker_Child(1, 2))->all, (new Maker_Base())->all, $error->getMessage(),
                (new Maker_New(5))->n, $required('Maker_New'), (new Maker_Plain())::class,
            ];
            PHP, classes: [
            'Maker/Base.py' => "class Maker_Base:\n    def __init__(self): self.all = []\n",
            'Maker/Child.py' => <<<'PYTHON'
                from Maker.Base import Maker_Base
                class Maker_Child(Maker_Base):
                    def __init__(self, a, b): self.all = [a, b]
                PYTHON,
            'Maker/New.py' => <<<'PYTHON'
                class Maker_New:
                    def __new__(cls, n, *more):
                        made = super().__new__(cls)
                        made.n = n
                        return made
                PYTHON,
            'Maker/Plain.py' => "class Maker_Plain: pass\n",
        ]);

        self::assertSame([
            0, 2, [1, 2], [], 'Maker_Child::__construct(): the arguments are missing: $a, $b',
            5, 1, 'Maker_Plain',
        ], $facts);
    }

    public function testPhpClassesMayExtendPythonClasses(): void
    {
        $facts = self::evaluate(<<<'PHP'
            class Terrier extends Kin_Dog
            {
                public int $tricks = 0;

                public function __construct(string $name, private string $town = 'York')
                {
                    parent::__construct($name);
                }

                public function speak($loud = false)
                {
                    return parent::speak() . " from {$this->town}";
                }
            }
            $terrier = new Terrier('Tim');
            $terrier->tricks++;
            return [$terrier->name, $terrier->speak(), $terrier->tricks, $terrier->sleep(), $terrier instanceof Kin_Animal, Terrier::LEGS];
            PHP, classes: self::KIN);

        self::assertSame(['Tim', 'woof from York', 1, 'zzz', true, 4], $facts);
    }

    private const KIN = [
        'Kin/Animal.py' => <<<'PYTHON'
            class Kin_Animal:
                LEGS = 4
                def __init__(self, name): self.name = name
                def speak(self): return "..."
                def sleep(self): return "zzz"
                def self(self): return self
                @classmethod
                def kind(cls): return cls.__name__
            PYTHON,
        'Kin/Dog.py' => <<<'PYTHON'
            from Kin.Animal import Kin_Animal
            class Kin_Dog(Kin_Animal):
                def speak(self): return "woof"
            PYTHON,
        'Kin/Puppy.py' => <<<'PYTHON'
            from Kin.Dog import Kin_Dog
            class Kin_Puppy(Kin_Dog):
                def speak(self): return "wuff"
            PYTHON,
    ];

    private const MIXED = [
        'Mixed/Duck.py' => <<<'PYTHON'
            class Mixed_Swimmer:
                FINS = 3
                def swim(self): return "swims"
                def both(self): return "swimmer"
            class Mixed_Glider:
                def glide(self): return "glides"
            class Mixed_Flyer(Mixed_Glider):
                WINGS = 2
                def __init__(self): self.height = 0
                def fly(self): return "flies"
                def both(self): return "flyer"
                @classmethod
                def hatch(cls): return cls()
            class Mixed_Duck(Mixed_Swimmer, Mixed_Flyer):
                def quack(self): return "quacks"
            PYTHON,
        'Mixed/Duckling.py' => "from Mixed.Duck import Mixed_Duck\nclass Mixed_Duckling(Mixed_Duck): pass\n",
    ];
}
