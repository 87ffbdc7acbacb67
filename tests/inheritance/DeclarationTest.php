<?php

declare(strict_types=1);

namespace Tortoise\Tests\Inheritance;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** A Python class that extends a PHP class is a PHP class that truly extends it, and repeats what PHP asks of overrides. */
final class DeclarationTest extends TestCase
{
    private const PHP = <<<'PHP'
        enum Suit: string { case Hearts = 'h'; case Spades = 's'; }
        abstract class Page {
            const LIMIT = 3;
            final const FIXED = 1;
            public $template = 'page';
            protected array $_options = ['id' => 1];
            protected ?int $size = null;
            private $secret = 'of PHP';
            public readonly int $once;
            public static $shared = 'shared';
            protected function before(): void {}
            public function find(int $id, ?string $by = "it's", int $limit = self::LIMIT * 2, array $more = ['k' => [1, "a\n"]],
                $made = new ArrayObject([M_PI]), Suit $suit = Suit::Hearts, &$found = null): ?self { return null; }
            public static function factory(string $name = PHP_VERSION): static|string { return $name; }
            public function &items(string ...$names): array { static $items = []; return $items; }
            protected function _hook($x) { return "php $x"; }
            public function secret() { return $this->secret; }
            abstract public function draw(float $scale);
            final public function execute() {}
        }
        PHP;

    private const PYTHON = <<<'PYTHON'
        from php import Page

        class My_Page(Page):
            """A page."""

            template = "python"
            _options = {"id": None, "more": [1, 2]}
            size = 5
            secret = "of Python"
            once = 7
            shared = "of Python"
            LIMIT = 4
            FIXED = 4

            def before(self): ...
            def find(self, key, by): return [key, by]
            @classmethod
            def factory(cls, name): return name
            def items(self, *names): return list(names)
            def _hook(self, x): ...
            def _own(self): ...
            def draw(self, scale, color="red"): return [scale, color]
        PYTHON;

    public function testSignaturesArePhps(): void
    {
        $facts = self::evaluate(self::PHP . <<<'PHP'
            $facts = [get_parent_class('My_Page'), class_implements('My_Page')];
            foreach ((new ReflectionClass('My_Page'))->getMethods() as $method) {
                if ($method->class === 'My_Page') {
                    $parameters = array_map(fn ($p) => preg_replace('/^Parameter #\d+ \[ <\w+> (.*) \]$/s', '$1', (string) $p), $method->getParameters());
                    $facts[] = implode(' ', Reflection::getModifierNames($method->getModifiers())) . ($method->returnsReference() ? ' &' : ' ')
                        . $method->name . '(' . implode(', ', $parameters) . ')' . rtrim(': ' . $method->getReturnType(), ': ');
                }
            }
            return $facts;
            PHP, classes: ['My/Page.py' => self::PYTHON]);

        self::assertSame([
            'Page',
            ['Tortoise\Remote' => 'Tortoise\Remote'],
            'protected before(): void',
            "public find(int \$id, ?string \$by = 'it's', int \$limit = \\Page::LIMIT * 2, array \$more = ['k' => [1, 'a\\n']], "
                . '$made = new \ArrayObject([M_PI]), Suit $suit = \Suit::Hearts, &$found = NULL): ?Page',
            'public static factory(string $name = PHP_VERSION): static|string',
            'public &items(string ...$names): array',
            'protected _hook($x)',
            "public draw(float \$scale, \$color = 'red')",
        ], $facts);
    }

    public function testAttributesAreDefaultsOfPhpsProperties(): void
    {
        $facts = self::evaluate(self::PHP . <<<'PHP'
            $facts = [My_Page::LIMIT, My_Page::FIXED];
            foreach ((new ReflectionClass('My_Page'))->getProperties() as $property) {
                $facts[$property->name] = [
                    implode(' ', Reflection::getModifierNames($property->getModifiers())), (string) $property->getType(), $property->getDefaultValue(),
                ];
            }
            return $facts;
            PHP, classes: ['My/Page.py' => self::PYTHON]);

        self::assertEquals([
            4, 1,
            'template' => ['public', '', 'python'],
            '_options' => ['protected', 'array', ['id' => null, 'more' => [1, 2]]],
            'size' => ['protected', '?int', 5],
            'once' => ['public readonly', 'int', null],
            'shared' => ['public static', '', 'shared'],
        ], $facts);
    }

    public function testWhatPhpCannotExtendIsRefusedWithAReason(): void
    {
        $classes = [
            'Final' => 'final class Sealed {}', 'Interface' => 'interface Face {}', 'Trait' => 'trait Part {}', 'Enum' => 'enum Kind {}',
        ];
        $bases = [
            'Sealed' => 'it is final',
            'Face' => 'it is an interface; extend a class that implements it',
            'Part' => 'it is a trait; extend a class that uses it',
            'Kind' => 'it is an enum',
            'ArrayObject' => "its objects have memory of PHP's own beside their properties (as those of ArrayObject, DateTime and all "
                . 'exceptions do); hold such an object in an attribute instead',
        ];
        $sources = [];
        foreach (array_keys($bases) as $base) {
            $sources["Below/{$base}.py"] = "from php import {$base}\nclass Below_{$base}({$base}): pass\n";
        }
        $facts = self::evaluate(implode("\n", $classes) . <<<'PHP'
            $facts = [];
            foreach (['Sealed', 'Face', 'Part', 'Kind', 'ArrayObject'] as $base) {
                try {
                    class_exists("Below_{$base}");
                } catch (Tortoise\AccessException $refused) {
                    $facts[$base] = $refused->getMessage();
                }
            }
            return $facts;
            PHP, classes: $sources);

        $expected = [];
        foreach ($bases as $base => $reason) {
            $expected[$base] = "Below.{$base}.Below_{$base} cannot extend the PHP class {$base}: {$reason}";
        }
        self::assertSame($expected, $facts);
    }

    public function testWhatPhpCannotOverrideIsRefusedWithAReason(): void
    {
        $class = static fn (string $name, string $body): string => "from php import Page\nclass Bad_{$name}(Page):\n    {$body}\n";
        $facts = self::evaluate(self::PHP . <<<'PHP'
            $facts = [];
            foreach (['Final', 'Static', 'Type'] as $name) {
                try {
                    class_exists("Bad_{$name}");
                } catch (Tortoise\AccessException $refused) {
                    $facts[] = $refused->getMessage();
                }
            }
            try {
                new Bad_Abstract();
            } catch (Error $error) {
                $facts[] = $error->getMessage();
            }
            return $facts;
            PHP, classes: [
                'Bad/Final.py' => $class('Final', 'def execute(self): ...'),
                'Bad/Static.py' => $class('Static', 'def factory(self): ...'),
                'Bad/Type.py' => $class('Type', 'size = "large"'),
                'Bad/Abstract.py' => $class('Abstract', 'pass'),
            ]);

        self::assertSame([
            'Bad.Final.Bad_Final.execute cannot override Page::execute(), which is final; give it another name',
            'Bad.Static.Bad_Static.factory cannot override Page::factory(), which is static; make it a @classmethod or @staticmethod',
            'Bad.Type.Bad_Type.size cannot be the default of Page::$size, which is of type ?int; give it a value of that type',
            'Cannot instantiate abstract class Bad_Abstract',
        ], $facts);
    }

    public function testTheParentOfTheNextRequestMayAskForSomethingElse(): void
    {
        self::sandbox()->writeClass('Of/Plain.py', "from php import Plain\nclass Of_Plain(Plain):\n    def m(self, a): ...\n");
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            $type = $_SERVER['QUERY_STRING'];
            eval("class Plain { public function m($type \$a) {} }");
            echo (new ReflectionMethod('Of_Plain', 'm'))->getParameters()[0]->getType();
            PHP);
        self::assertSame(['int', 'string', 'int'], [$server->get('int'), $server->get('string'), $server->get('int')]);
    }

    public function testOutsideOfARequestThereIsNoPhpToImportFrom(): void
    {
        $said = self::sandbox()->path('said');
        self::assertTrue(posix_mkfifo($said, 0600));
        self::sandbox()->writeClass('Late/Importer.py', <<<'PYTHON'
            import threading
            import php

            class Late_Importer:
                def start(self, path):
                    threading.Thread(target=self.late, args=[path], daemon=True).start()

                def late(self, path):
                    try:
                        while True:
                            php.function("strlen")("x")
                    except php.RequestOver:
                        pass
                    try:
                        from php import Late_Class
                        said = f"imported {Late_Class}"
                    except Exception as error:
                        said = f"{type(error).__name__}: {error}"
                    with open(path, "w") as out:
                        out.write(said)
            PYTHON);
        $server = new HttpServer(self::sandbox(), 'class Late_Class {} (new Late_Importer())->start($_SERVER["QUERY_STRING"]); echo "answered";');
        self::assertSame('answered', $server->get($said));

        // Open at both ends, so that opening waits for nobody.
        $pipe = fopen($said, 'r+');
        $read = [$pipe];
        $none = null;
        self::assertSame(1, stream_select($read, $none, $none, 60), 'the thread never learnt that the request is over');
        // What is there, and not what would fill the buffer.
        stream_set_blocking($pipe, false);
        self::assertMatchesRegularExpression('/^(RequestOver|ImportError): .*(request|PHP)/', (string) fread($pipe, 4096));
    }
}
