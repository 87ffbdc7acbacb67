<?php

declare(strict_types=1);

namespace Tortoise\Tests\Classes;

use Tortoise\Tests\Support\TestCase;

/** Nothing that a Python class says about itself makes PHP fail to compile, or run what is not meant to run. */
final class HostileClassesTest extends TestCase
{
    public function testDocstringsStayText(): void
    {
        $texts = [
            'one */ eval("exit(1);"); /*', '?><?php exit(1); ?>', "quotes ' \" ` and \$dollar {\$braces} \\", "line\n\"; exit(1); //",
            "nul \0 escape \x1b bell \x07", '/** nested **/ */', '@param int $a', 'last backslash \\', "\u{202e} override",
            '#[Attribute] <<<X', '  ', str_repeat('long ', 300_000), 'lone surrogate: ',
        ];
        $source = 'TEXTS = json.loads(base64.b64decode("' . base64_encode((string) json_encode($texts)) . '"))';
        $source = <<<PYTHON
            import base64, json
            {$source}
            TEXTS[-1] += "\\ud800"

            class Doc_Strings:
                pass

            def method(at):
                def method(self): return at
                method.__doc__ = TEXTS[at]
                return method

            for at in range(len(TEXTS)):
                setattr(Doc_Strings, f"m{at}", method(at))
            Doc_Strings.__doc__ = TEXTS[0] + TEXTS[1]
            PYTHON;
        $facts = self::evaluate(<<<'PHP'
            $object = new Doc_Strings();
            $facts = [];
            foreach ((new ReflectionClass($object))->getMethods() as $method) {
                if (!in_array($method->getName(), ['__construct', 'toArray'], true)) {
                    $facts[] = [$object->{$method->getName()}(), $method->getDocComment()];
                }
            }
            // A tool that writes a docblock back into source must not run it either.
            foreach ($facts as [, $text]) {
                eval("{$text}\nclass A" . bin2hex(random_bytes(8)) . ' {}');
            }
            return [$facts, (new ReflectionClass($object))->getDocComment(), substr_count((string) new ReflectionClass($object), 'Method [')];
            PHP, classes: ['Doc/Strings.py' => $source]);

        self::assertSame(array_keys($texts), array_column($facts[0], 0));
        foreach ($facts[0] as [$at, $comment]) {
            if (trim($texts[$at]) === '') {
                self::assertFalse($comment);
                continue;
            }
            self::assertStringStartsWith('/**', $comment);
            self::assertSame(1, substr_count($comment, '*/'), $comment);
            self::assertStringEndsWith('*/', $comment);
            self::assertStringNotContainsString("\0", $comment);
        }
        self::assertStringContainsString('?><?php exit(1); ?>', $facts[0][1][1]);
        self::assertLessThanOrEqual(300_000, \strlen($facts[0][11][1]));
        self::assertStringContainsString('* /', $facts[1]);
        self::assertSame(15, $facts[2]);
    }

    public function testPhpsOwnWordsAreNamesInPython(): void
    {
        $words = [
            'list', 'print', 'echo', 'exit', 'die', 'clone', 'new', 'function', 'fn', 'match', 'array', 'static', 'parent', 'abstract',
            'final', 'public', 'include', 'require', 'eval', 'isset', 'unset', 'empty', 'exit_', 'namespace', 'use', 'goto', 'enum', 'readonly',
            'int', 'string', 'void', 'null', 'true', 'false', 'mixed', 'never', 'object', 'callable', 'iterable', 'switch', 'do', 'var',
        ];
        $methods = $constants = '';
        foreach ($words as $word) {
            $methods .= "    def {$word}(self): return '{$word}'\n";
            $constants .= '    ' . strtoupper($word) . " = '{$word}'\n";
        }
        $facts = self::evaluate(<<<'PHP'
            $object = new Word_Book();
            $facts = [];
            foreach (WORDS as $word) {
                $facts[] = [$object->$word(), constant('Word_Book::' . strtoupper($word)), $object->all(...[$word => 1])];
            }
            return [$facts, $object->list(), $object->print(), $object->class_(), Word_Book::LIST, Word_Book::class, $object->halt()];
            PHP, classes: ['Word/Book.py' => "class Word_Book:\n{$methods}{$constants}    CLASS = 1\n    __HALT_COMPILER = 1\n"
            . "    def class_(self): return 'class'\n    def halt(self): return 'halt'\n    def self(self): return 'self'\n"
            . '    def all(self, ' . implode('=0, ', $words) . "=0):\n        return [name for name, value in locals().items() if value == 1]\n"], ini: ['auto_prepend_file' => self::sandbox()->write('words.php', '<?php const WORDS = ' . var_export($words, true) . ';')]);

        foreach ($words as $at => $word) {
            self::assertSame([$word, $word, [$word]], $facts[0][$at]);
        }
        self::assertSame(['list', 'print', 'class', 'list', 'Word_Book', 'halt'], \array_slice($facts, 1));
    }

    public function testMagicNamesOfPhpAreNoMagic(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $object = new Magic_Names();
            $clone = null;
            try {
                $clone = clone $object;
            } catch (Error $error) {
            }
            return [
                array_values(array_diff(get_class_methods($object), ['toArray'])), $object->offsetGet(1), $object->current(), $object->jsonSerialize(), $object->getIterator(), $object->count(),
                $object instanceof Countable, $object instanceof ArrayAccess, $object instanceof Stringable, $object->absent ?? 'absent', $clone instanceof Magic_Names,
            ];
            PHP, classes: ['Magic/Names.py' => <<<'PYTHON'
            class Magic_Names:
                def __construct(self): raise RuntimeError("not this")
                def __destruct(self): raise RuntimeError("not this")
                def __get(self, name): raise RuntimeError("not this")
                def __call(self, name, arguments): raise RuntimeError("not this")
                def __callStatic(self, name, arguments): raise RuntimeError("not this")
                def __clone(self): raise RuntimeError("not this")
                def __toString(self): raise RuntimeError("not this")
                def __invoke(self): raise RuntimeError("not this")
                def __sleep(self): raise RuntimeError("not this")
                def __set_state(self): raise RuntimeError("not this")
                def offsetGet(self, key): return "offsetGet"
                def current(self): return "current"
                def jsonSerialize(self): return "json"
                def getIterator(self): return "iterator"
                def count(self): return 5
            PYTHON]);

        self::assertSame([
            ['__construct', 'offsetGet', 'current', 'jsonSerialize', 'getIterator', 'count'], 'offsetGet', 'current', 'json', 'iterator', 5,
            false, false, false, 'absent', true,
        ], $facts);
    }

    public function testConstantsAndDefaultsAreExactOrLeftOut(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $object = new Exact_Values();
            $constants = (new ReflectionClass($object))->getConstants();
            ksort($constants);
            return [
                array_keys($constants), bin2hex($constants['EVIL']), strlen($constants['LONG']), $constants['TINY'], is_nan($constants['NAN']),
                $constants['NEGATIVE'] === -0.0 && (string) $constants['NEGATIVE'] === '-0', $constants['MIN'], $constants['DEEP'],
                bin2hex($object->evil()), $object->tiny(), array_map('bin2hex', $object->evil_constant()),
            ];
            PHP, classes: ['Exact/Values.py' => <<<'PYTHON'
            import math
            class Loud(str):
                def __str__(self): raise RuntimeError("asked")
                def __len__(self): raise RuntimeError("asked")
            class Exact_Values:
                EVIL = "'; exit(1); \"; {$x} ${y} \\ \\' ?> <?php \n\r\t\0\x7f\u2028 \u202e"
                LONG = "x" * 60_000
                TOO_LONG = "x" * 70_000
                TINY = 5e-324
                NAN = math.nan
                NEGATIVE = -0.0
                MIN = -(2**63)
                DEEP = [[[[[[[1]]]]]]]
                TOO_DEEP = [[[[[[[[[1]]]]]]]]]
                MANY = list(range(100_000))
                LOUD = Loud("x")
                SURROGATE = "\ud800"
                CYCLE = []
                CYCLE.append(CYCLE)
                def evil(self, text=EVIL): return text
                def tiny(self, value=TINY): return value
                def evil_constant(self): return [self.EVIL]
            PYTHON]);

        self::assertSame(['DEEP', 'EVIL', 'LONG', 'MIN', 'NAN', 'NEGATIVE', 'TINY'], $facts[0]);
        $evil = bin2hex("'; exit(1); \"; {\$x} \${y} \\ \\' ?> <?php \n\r\t\0\x7f\u{2028} \u{202e}");
        self::assertSame([$evil, 60_000, 5e-324, true, true, PHP_INT_MIN, [[[[[[[1]]]]]]]], \array_slice($facts, 1, 7));
        self::assertSame([$evil, 5e-324, [$evil]], \array_slice($facts, 8));
    }

    public function testManyMembersAndNoDescriptionRunsTheClassesCode(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $object = new Very_Large();
            return [
                count(get_class_methods($object)) > 1000, $object->m4999(), count((new ReflectionMethod($object, 'wide'))->getParameters()),
                $object->wide(...range(1, 300)), Very_Large::C0, count((new ReflectionClass($object))->getConstants()) > 1000,
            ];
            PHP, classes: ['Very/Large.py' => <<<'PYTHON'
            class Trap(type):
                armed = False
                def __getattribute__(cls, name):
                    if Trap.armed: raise RuntimeError(f"asked for {name}")
                    return super().__getattribute__(name)

            class Descriptor:
                def __get__(self, instance, owner): raise RuntimeError("got")
                def __getattr__(self, name): raise RuntimeError(f"asked for {name}")

            class Very_Large(metaclass=Trap):
                trap = Descriptor()
                @property
                def loud(self): raise RuntimeError("read")

            exec("def wide(self, " + ", ".join(f"p{n}" for n in range(300)) + "): return p299")
            Very_Large.wide = wide
            for number in range(5000):
                setattr(Very_Large, f"m{number}", lambda self, number=number: number)
            for number in range(5000):
                setattr(Very_Large, f"C{number}", number)
            Trap.armed = True
            PYTHON]);

        self::assertTrue($facts[0]);
        self::assertSame(4999, $facts[1]);
        self::assertGreaterThan(0, $facts[2]);
        self::assertSame([300, 0, true], \array_slice($facts, 3));
    }

    public function testNamesAndSignaturesThatLie(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $object = (new Lying_Maker())->made();
            $others = array_map(fn ($which) => get_class((new Lying_Maker())->named($which)), ['a-b', '1x', '', 'x y', '::', '..\..', 'Ä', "n\0n", 'ünï']);
            return [
                $object instanceof Tortoise\PyObject, preg_match('/^[\w\\\\\x80-\xff]+$/', $object::class), $object->run(1, 2), $others,
                $object->shown(1),
            ];
            PHP, classes: ['Lying/Maker.py' => <<<'PYTHON'
            import inspect
            def run(self, *args): return list(args)
            run.__signature__ = "nonsense"
            def shown(self, *args, **kwargs): return [list(args), kwargs]
            shown.__signature__ = inspect.Signature([inspect.Parameter("a", inspect.Parameter.POSITIONAL_OR_KEYWORD)])
            shown.__wrapped__ = shown
            run.__doc__ = 5
            run.__name__ = "} exit(1); {"
            class Lying_Maker:
                def made(self):
                    cls = type("Foo { } exit(1); class X", (), {"run": run, "shown": shown, "__doc__": 5, "} exit(1); //": run})
                    cls.__module__ = "Lying.Maker'; exit(1);"
                    cls.__qualname__ = "..\\..\\etc"
                    return cls()
                def named(self, name):
                    return type(name.replace("\0", "n"), (), {"__module__": name})()
            PYTHON]);

        self::assertTrue($facts[0]);
        self::assertSame(1, $facts[1]);
        self::assertSame([1, 2], $facts[2]);
        foreach ($facts[3] as $class) {
            self::assertMatchesRegularExpression('/^Tortoise\\\\Python(\\\\[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)+$/', $class);
        }
        self::assertSame([[1], []], $facts[4]);
    }
}
