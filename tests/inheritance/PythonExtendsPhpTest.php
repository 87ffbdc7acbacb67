<?php

declare(strict_types=1);

namespace Tortoise\Tests\Inheritance;

use Tortoise\Tests\Support\TestCase;

/** Objects of a Python class that extends a PHP class: PHP's code runs on them, and reaches Python's overrides. */
final class PythonExtendsPhpTest extends TestCase
{
    private const PHP = <<<'PHP'
        abstract class Controller {
            public $template = 'base';
            public $response;
            protected $_seen = [];
            protected ?int $count = 0;
            private $secret = 'of PHP';
            public function __construct(public string $request) { $this->_seen[] = 'constructed'; $this->undeclared = 'set by PHP'; }
            public function execute($name) {
                $this->before();
                $result = $this->{"action_$name"}();
                $this->after();
                return [$result, $this->_seen];
            }
            protected function before() { $this->_seen[] = 'before of PHP'; }
            protected function after() { $this->_seen[] = 'after of PHP'; }
            public function see($what) { $this->_seen[] = $what; return $this; }
            protected function whisper($what, $loud = false) { return $loud ? strtoupper($what) : $what; }
            public static function make(...$arguments) { return new static(...$arguments); }
            public function secret() { return $this->secret; }
            abstract public function title();
            public function heading() { return 'PHP: ' . $this->title(); }
        }
        PHP;

    private const PYTHON = <<<'PYTHON'
        from php import Controller

        class My_Controller(Controller):
            template = "python"

            def before(self):
                super().before()
                self.see("before of Python")

            def action_index(self):
                self.response = self.whisper("done", loud=True) + self.request
                return self.response

            def title(self): return f"title of {self.request}"
            def heading(self): return "Python: " + super().heading()
            def attributes(self): return [self.template, self.undeclared, self._seen, self.own()]
            def own(self): return getattr(self, "value", None)
            def keep(self, value): self.value = value; return self
            def is_php(self): return isinstance(self, Controller)
            def me(self): return self
            @classmethod
            def build(cls, name): return cls(name)
        PYTHON;

    public function testBothSidesReachEachOthersMethods(): void
    {
        $facts = $this->in(<<<'PHP'
            $controller = new My_Controller('r');
            return [$controller->execute('index'), $controller->response, $controller->heading(), $controller->attributes()];
            PHP);

        self::assertSame([
            ['DONEr', ['constructed', 'before of PHP', 'before of Python', 'after of PHP']],
            'DONEr',
            'Python: PHP: title of r',
            ['python', 'set by PHP', ['constructed', 'before of PHP', 'before of Python', 'after of PHP'], null],
        ], $facts);
    }

    public function testAnObjectIsOneOnBothSides(): void
    {
        $facts = $this->in(<<<'PHP'
            $made = new My_Controller('r');
            $built = My_Controller::build('b');
            return [
                $made instanceof Controller, $made->is_php(), $made->me() === $made, $made->keep(5)->own(), $made->value,
                get_class($built), $built instanceof Controller, $built->request, $built->me() === $built, $built->execute('index')[0],
                Controller::class === get_parent_class($built), get_class(My_Controller::make('m')), My_Controller::make('m')->request,
            ];
            PHP);

        self::assertSame([
            true, true, true, 5, 5,
            'My_Controller', true, 'b', true, 'DONEb',
            true, 'My_Controller', 'm',
        ], $facts);
    }

    public function testPropertiesLiveWhereTheyAreDeclared(): void
    {
        $facts = $this->in(<<<'PHP'
            $object = new My_Controller('r');
            $object->template = 'changed';
            $object->fresh = [1];
            $isolated = (function () { return [$this->template, $this->count, array_key_exists('fresh', get_object_vars($this))]; })->call($object);
            $errors = [];
            foreach (['count' => 'text', '_seen' => 1] as $name => $value) {
                try {
                    $object->$name = $value;
                } catch (Error $error) {
                    $errors[] = $error->getMessage();
                }
            }
            $object->secret = 'of Python';
            return [$isolated, $object->attributes()[0], $object->fresh, isset($object->fresh, $object->template), isset($object->none), $errors,
                $object->secret, $object->secret()];
            PHP);

        self::assertSame([
            ['changed', 0, false], 'changed', [1], true, false,
            ['Cannot access protected property My_Controller::$count', 'Cannot access protected property My_Controller::$_seen'],
            'of Python', 'of PHP',
        ], $facts);
    }

    public function testPythonsConstructorDecidesWhenPhpsRuns(): void
    {
        $facts = $this->in(<<<'PHP'
            $first = new First_Sets('r');
            $never = new Never_Calls('r');
            $plain = new ReflectionMethod('My_Controller', '__construct');
            $missing = null;
            try {
                $never->request;
            } catch (Error $error) {
                $missing = $error->getMessage();
            }
            return [
                $first->order, $first->request, $first->early, $never->mine, $missing, $plain->class,
                (new ReflectionMethod('First_Sets', '__construct'))->class, $first->see('x')->execute('index')[1],
            ];
            PHP, [
                'First/Sets.py' => <<<'PYTHON'
                    from My.Controller import My_Controller

                    class First_Sets(My_Controller):
                        def __init__(self, request, more="!"):
                            self.order = ["own first"]
                            self.early = self.template
                            super().__init__(request + more)
                            self.order = [*self.order, "then PHP's", self.request]
                    PYTHON,
                'Never/Calls.py' => <<<'PYTHON'
                    from My.Controller import My_Controller

                    class Never_Calls(My_Controller):
                        def __init__(self, request):
                            self.mine = request
                    PYTHON,
            ]);

        self::assertSame([
            ['own first', "then PHP's", 'r!'], 'r!', 'python', 'r',
            'Typed property Controller::$request must not be accessed before initialization', 'Controller',
            'First_Sets', ['constructed', 'x', 'before of PHP', 'before of Python', 'after of PHP'],
        ], $facts);
    }

    public function testPythonsErrorsAndPhpsPassThroughBothHalves(): void
    {
        $facts = $this->in(<<<'PHP'
            class Refused extends RuntimeException {}
            abstract class Strict extends Controller {
                protected function before() { throw new Refused('not today', 7); }
            }
            $facts = [];
            foreach (['Catches_It', 'Lets_Through'] as $class) {
                try {
                    $facts[] = (new $class('r'))->execute('index');
                } catch (Refused $refused) {
                    $facts[] = [$refused->getMessage(), $refused->getCode()];
                }
            }
            return $facts;
            PHP, [
                'Catches/It.py' => <<<'PYTHON'
                    import php
                    from php import Strict

                    class Catches_It(Strict):
                        def before(self):
                            try:
                                super().before()
                            except php.Exception as error:
                                self.see(error.message)
                        def action_index(self): return "went on"
                        def title(self): return ""
                    PYTHON,
                'Lets/Through.py' => <<<'PYTHON'
                    from php import Strict

                    class Lets_Through(Strict):
                        def before(self): super().before()
                        def action_index(self): return "went on"
                        def title(self): return ""
                    PYTHON,
            ]);

        self::assertSame([['went on', ['constructed', 'not today', 'after of PHP']], ['not today', 7]], $facts);
    }

    public function testDefaultsOfPhpReachPython(): void
    {
        $facts = self::evaluate(<<<'PHP'
            class Finder {
                const LIMIT = 3;
                public function find(int $id, array $by = ['k' => 1], int $limit = self::LIMIT) { return 'PHP'; }
            }
            $finder = new Quick_Finder();
            try {
                $finder->find('x');
            } catch (TypeError $error) {
                $type = strtok($error->getMessage(), ',');
            }
            return [$finder->find(1), $finder->find(1, [2]), $finder->find(limit: 9, id: 4), $type];
            PHP, classes: ['Quick/Finder.py' => <<<'PYTHON'
                from php import Finder

                class Quick_Finder(Finder):
                    def find(self, key, by, limit=10): return [key, by, limit]
                PYTHON]);

        self::assertSame([
            [1, ['k' => 1], 10], [1, [2], 10], [4, ['k' => 1], 9],
            'Quick_Finder::find(): Argument #1 ($id) must be of type int',
        ], $facts);
    }

    public function testPhpsInterfacesAreAnsweredByPythonsProtocols(): void
    {
        $facts = self::evaluate(<<<'PHP'
            class Basket implements Countable, IteratorAggregate {
                public $items = ['a'];
                public function count(): int { return 7; }
                public function getIterator(): Iterator { return new ArrayIterator($this->items); }
            }
            $plain = new Plain_Basket();
            $own = new Own_Basket();
            return [count($plain), iterator_to_array($plain), $plain->length(), count($own), iterator_to_array($own), $own->length()];
            PHP, classes: [
                'Plain/Basket.py' => "from php import Basket\nclass Plain_Basket(Basket):\n    def length(self): return len(self)\n",
                'Own/Basket.py' => "from php import Basket\nclass Own_Basket(Basket):\n    def length(self): return len(self)\n"
                    . "    def __len__(self): return 2 + super().__len__()\n    def __iter__(self): return iter(['x', 'y'])\n",
            ]);

        self::assertSame([7, ['a'], 7, 9, ['x', 'y'], 9], $facts);
    }

    /** @param array<string, string> $classes */
    private function in(string $code, array $classes = []): mixed
    {
        return self::evaluate(self::PHP . $code, classes: ['My/Controller.py' => self::PYTHON] + $classes);
    }
}
