<?php

declare(strict_types=1);

namespace Tortoise\Tests\Modules;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `Tortoise\import()`: modules as objects, and what is in them. */
final class ImportTest extends TestCase
{
    private const INI = ['tortoise.modules' => 'math, decimal, collections, os, broken, absent, xml.dom'];

    public function testAttributesFunctionsAndClasses(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $math = Tortoise\import('math');
            $decimal = Tortoise\import('decimal');
            $number = $decimal->Decimal('1.5');
            return [
                $math->sqrt(16), $math->pi === M_PI, $math::class, isset($math->tau), isset($math->absent), is_callable([$math, 'sqrt']),
                get_class($number), $number->as_tuple()->digits, get_class(($decimal->Decimal)('2')), $decimal->Decimal('1.5')->compare($number)->is_zero(),
                ($math->floor)(2.7), array_map($math->floor, [1.5, 2.5]),
            ];
            PHP, self::INI);

        self::assertSame([
            4.0, true, 'Tortoise\PyObject', true, false, true,
            'Tortoise\Python\decimal\Decimal', [1, 5], 'Tortoise\Python\decimal\Decimal', true,
            2, [1, 2],
        ], $facts);
    }

    public function testTheSameModuleIsTheSameProxy(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $os = Tortoise\import('os');
            return [$os === Tortoise\import('os'), Tortoise\import('os.path') === $os->path, Tortoise\import('os.path') === Tortoise\import('os'), Tortoise\import('collections.abc') === Tortoise\import('collections')->abc];
            PHP, self::INI);

        self::assertSame([true, true, false, true], $facts);
    }

    public function testASubmoduleIsItselfAndNotItsPackage(): void
    {
        $code = 'return [Tortoise\import("os.path")->join("a", "b"), Tortoise\import("xml.dom.minidom")->parseString("<a/>")->documentElement->tagName];';
        self::assertSame(['a/b', 'a'], self::evaluate($code, self::INI));
    }

    public function testAModuleOfAClassRootNeedsNoSetting(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $greet = Tortoise\import('greet');
            return [
                $greet->hello('you', times: 2), $greet->answer, $greet->join('a', 'b'), get_class($greet->Greeter('x')), Tortoise\import('tools.greet')->hello(),
                Tortoise\import('pack')->hello(), (new Reach())->mine() === Tortoise\import('Reach'), Tortoise\import('Reach')->Reach === Tortoise\type('Reach'), $greet->imports,
            ];
            PHP);

        self::assertSame([
            'hello hello you', 42, 'a/b', 'greet\Greeter', 'hello from tools',
            'hello from pack', true, true, 1,
        ], $facts);
    }

    public function testWhatAnImportRaisesIsThrown(): void
    {
        $output = self::php(<<<'PHP'
            foreach (['absent', 'math.absent', 'broken', 'broken'] as $module) {
                try {
                    Tortoise\import($module);
                } catch (Tortoise\PythonException $error) {
                    echo $error::class, ' | ', $error->getMessage(), ' | ', basename($error->getFile()), ':', $error->getLine(), "\n";
                }
            }
            PHP, self::INI, ['broken.py' => "x = 1\nx = = 2\n"])->cleanOutput();

        $lines = explode("\n", trim($output));
        self::assertCount(4, $lines);
        self::assertSame("Tortoise\\Python\\ModuleNotFoundError | No module named 'absent' | script1.php:4", $lines[0]);
        self::assertStringContainsString("No module named 'math.absent'; 'math' is not a package", $lines[1]);
        self::assertStringStartsWith('Tortoise\Python\SyntaxError | invalid syntax', $lines[2]);
        self::assertStringEndsWith('| broken.py:2', $lines[2]);
        self::assertSame($lines[2], $lines[3]);
    }

    /** A file of a class root that hides behind a library of its name is not what Python's own import gives. */
    public function testAFileBehindALibrarysNameIsReachedByCall(): void
    {
        $output = self::php(Script::ATTEMPT . <<<'PHP'
            attempt(fn() => Tortoise\call('json', 'mine'));
            attempt(fn() => Tortoise\import('json')->mine());
            PHP, self::INI, ['json.py' => "def mine(): return 'mine'\n"])->cleanOutput();

        [$call, $import] = explode("\n", $output);
        self::assertSame('value: "mine"', $call);
        self::assertStringStartsWith("Tortoise\\AccessException: the Python module 'json' is not open to PHP", $import);
        self::assertStringContainsString('Tortoise\call()', $import);
    }

    /** @dataProvider hostileNames */
    public function testNamesThatNoModuleHas(string $name): void
    {
        $code = 'attempt(fn() => Tortoise\import(' . var_export($name, true) . ')); attempt(fn() => Tortoise\import("math")->sqrt(4));';
        $output = self::php(Script::ATTEMPT . $code, ['tortoise.modules' => '*'])->cleanOutput();
        self::assertMatchesRegularExpression('/^Tortoise\\\\AccessException: [^\n]{1,400}\nvalue: 2(\.0)?\n$/', $output);
    }

    /** @return list<list<string>> */
    public static function hostileNames(): array
    {
        return array_map(static fn(string $name): array => [$name], [
            '', '.', '.math', 'math.', 'a..b', 'a b', 'a-b', '../math', '/etc/passwd', "math\0", "math\n", 'math;', '1a', '_socket', '__main__', 'os._exit', 'os.__dict__',
            "\xff", str_repeat('a', 2000), str_repeat('a.', 600) . 'a', '*', 'ma*', "caf\u{e9}\u{200b}",
        ]);
    }

    public function testWrongArguments(): void
    {
        $output = self::php(Script::ATTEMPT . <<<'PHP'
            attempt(fn() => Tortoise\import());
            attempt(fn() => Tortoise\import('math', 'os'));
            attempt(fn() => Tortoise\import(5));
            PHP, self::INI)->cleanOutput();

        self::assertStringContainsString('ArgumentCountError: Tortoise\import() takes exactly 1 argument, 0 given', $output);
        self::assertStringContainsString('2 given', $output);
        self::assertStringContainsString('$module must be a text', $output);
    }
}
