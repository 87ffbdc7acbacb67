<?php

declare(strict_types=1);

namespace Tortoise\Tests\Inheritance;

use Tortoise\Tests\Support\TestCase;

/** Objects of a PHP class that extends a Python class: Python's code reaches the overrides. */
final class PhpExtendsPythonTest extends TestCase
{
    private const PYTHON = <<<'PYTHON'
        import abc

        class Py_Page(abc.ABC):
            kind = "page"

            def __init__(self, name="nameless"):
                self.name = name
                self.built = self.describe()

            def title(self): return "title of Python"
            def render(self): return f"<h1>{self.title()}</h1>"
            def describe(self): return f"{self.name}: {self.title()}"
            def hooked(self): return self._hook("x")
            def _hook(self, x): return f"Python's {x}"
            def class_name(self): return type(self).__name__
            def is_page(self): return isinstance(self, Py_Page)
            def me(self): return self
            def size_of(self): return self.size
            def grow(self): self.size += 1; return self.size
            def length(self): return len(self)
            def text(self): return str(self)
            def call_it(self, *arguments): return self(*arguments)
            def everything(self): return [item for item in self]
            @classmethod
            def make(cls, *arguments): return cls(*arguments)
            @classmethod
            def label(cls): return "label of Python"
            @classmethod
            def shown_label(cls): return cls.label()
        PYTHON;

    public function testPythonReachesTheOverride(): void
    {
        $facts = $this->in(<<<'PHP'
            class Page extends Py_Page {
                public function title() { return 'PHP, then ' . parent::title(); }
                protected function _hook($x) { return "PHP's $x"; }
                public static function label() { return 'label of PHP'; }
            }
            $page = new Page('n');
            return [
                $page->render(), $page->title(), $page->built, $page->hooked(), $page->class_name(), $page->is_page(), $page->me() === $page,
                Page::shown_label(), Py_Page::shown_label(), (new Py_Page())->render(),
            ];
            PHP);

        self::assertSame([
            '<h1>PHP, then title of Python</h1>', 'PHP, then title of Python', 'n: PHP, then title of Python', "PHP's x", 'Page', true, true,
            'label of PHP', 'label of Python', '<h1>title of Python</h1>',
        ], $facts);
    }

    public function testAbstractMethodsAreImplementedInPhp(): void
    {
        $facts = self::evaluate(<<<'PHP'
            class Square extends Shape {
                public function __construct(private float $side) { parent::__construct('square'); }
                public function area() { return $this->side ** 2; }
            }
            class Unfinished extends Shape {}
            try {
                (new Unfinished('x'))->show();
                $refused = '';
            } catch (Tortoise\PythonException $error) {
                $refused = $error->getMessage();
            }
            return [(new Square(3.0))->show(), str_contains($refused, 'area')];
            PHP, classes: ['Shape.py' => <<<'PYTHON'
                import abc

                class Shape(abc.ABC):
                    def __init__(self, name): self.name = name
                    @abc.abstractmethod
                    def area(self): ...
                    def show(self): return f"{self.name} of {self.area()}"
                PYTHON]);

        self::assertSame(['square of 9.0', true], $facts);
    }

    public function testConstructorsRunWhenTheyAreCalled(): void
    {
        $facts = $this->in(<<<'PHP'
            class Late extends Py_Page {
                public $log = [];
                public function __construct($name) {
                    $this->early = 'set before';
                    $this->log[] = $this->title();
                    parent::__construct($name);
                    $this->log[] = $this->name;
                }
            }
            class NeverCalls extends Py_Page {
                public function __construct() { $this->mine = 1; }
            }
            $late = new Late('n');
            $never = new NeverCalls();
            return [$late->early, $late->log, $late->built, $never->mine, $never->title(), isset($never->name), $never->kind];
            PHP);

        self::assertSame(['set before', ['title of Python', 'n'], 'n: title of Python', 1, 'title of Python', false, 'page'], $facts);
    }

    public function testAClassmethodMakesThePhpObject(): void
    {
        $facts = $this->in(<<<'PHP'
            class Made extends Py_Page {
                public $order = [];
                public function __construct($name, $more = 'default') { $this->order[] = 'PHP'; parent::__construct($name . $more); }
                public function title() { return 'made'; }
            }
            $made = Made::make('n');
            $inherits = new class('i') extends Py_Page {};
            return [get_class($made), $made->order, $made->name, $made->render(), $made->me() === $made, $inherits->name, $inherits->is_page()];
            PHP);

        self::assertSame(['Made', ['PHP'], 'ndefault', '<h1>made</h1>', true, 'i', true], $facts);
    }

    public function testPropertiesDeclaredInPhpLiveInPhp(): void
    {
        $facts = $this->in(<<<'PHP'
            class Sized extends Py_Page {
                public int $size = 3;
                protected $kept = 'protected';
                public function both() { return [$this->size, array_keys(get_object_vars($this))]; }
            }
            $sized = new Sized('n');
            $sized->grow();
            $sized->other = 'in Python';
            return [$sized->size_of(), $sized->size, $sized->both(), $sized->other];
            PHP);

        self::assertSame([4, 4, [4, ['size', 'kept']], 'in Python'], $facts);
    }

    public function testPhpsInterfacesAreProtocolsInPython(): void
    {
        $facts = $this->in(<<<'PHP'
            class Listed extends Py_Page implements Countable, IteratorAggregate {
                public function count(): int { return 4; }
                public function getIterator(): Iterator { yield 'a'; yield 'b'; }
                public function __toString(): string { return 'text of PHP'; }
                public function __invoke($x) { return "called with $x"; }
            }
            $listed = new Listed('n');
            return [$listed->length(), $listed->everything(), $listed->text(), $listed->call_it(5)];
            PHP);

        self::assertSame([4, ['a', 'b'], 'text of PHP', 'called with 5'], $facts);
    }

    public function testPrivateMethodsAreNoOverrides(): void
    {
        $facts = $this->in(<<<'PHP'
            class Secretive extends Py_Page {
                private function _hook($x) { return 'private'; }
                public function own() { return $this->_hook('x'); }
            }
            $object = new Secretive('n');
            return [$object->hooked(), $object->own()];
            PHP);

        self::assertSame(["Python's x", 'private'], $facts);
    }

    private function in(string $code): mixed
    {
        return self::evaluate($code, classes: ['Py/Page.py' => self::PYTHON]);
    }
}
