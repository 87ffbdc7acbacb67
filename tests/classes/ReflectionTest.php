<?php

declare(strict_types=1);

namespace Tortoise\Tests\Classes;

use Tortoise\Tests\Support\TestCase;

/** What PHP can find out about a synthesized class is the truth about the Python class. */
final class ReflectionTest extends TestCase
{
    public function testParametersAreShownAsPythonHasThem(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $shown = [];
            foreach ((new ReflectionClass('Drawn_Shape'))->getMethods() as $method) {
                $shown[$method->getName()] = [
                    $method->getNumberOfRequiredParameters(),
                    implode(', ', array_map(function ($parameter) {
                        $text = ($parameter->isVariadic() ? '...' : '') . $parameter->getName();
                        if ($parameter->isDefaultValueAvailable()) {
                            $text .= ' = ' . ($parameter->isDefaultValueConstant()
                                ? $parameter->getDefaultValueConstantName()
                                : json_encode($parameter->getDefaultValue(), JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION));
                        }
                        return $text;
                    }, $method->getParameters())),
                ];
            }
            $infinite = (new ReflectionMethod('Drawn_Shape', 'plain'))->getParameters()[8]->getDefaultValue();
            return [$shown, is_infinite($infinite), array_map(
                fn ($method) => $method->hasReturnType(),
                (new ReflectionClass('Drawn_Shape'))->getMethods(),
            )];
            PHP);

        $out = 'Tortoise\LEFT_OUT';
        self::assertSame([
            '__construct' => [1, 'width, height = 2, ...arguments'],
            'plain' => [2, 'a, b, c = 1, d = "text", e = 1.5, f = null, g = true, h = -9223372036854775808, i = INF, '
                . 'j = "\\\\\'\"$\n\u0000\u00e4"'],
            'opaque' => [0, "a = {$out}, b = {$out}, c = {$out}, d = {$out}, e = {$out}, f = {$out}, g = {$out}"],
            'variadic' => [1, 'first, ...rest'],
            'only_named' => [0, '...named'],
            'positional' => [1, 'a, b = 2'],
            'annotated' => [1, 'a, b = 1'],
            'odd_names' => [1, 'this_, GLOBALS_ = 1, _GET_ = 2'],
            'helped' => [1, 'x, y = 1'],
            'made' => [0, 'n = 1'],
            'toArray' => [0, ''],
        ], $facts[0]);
        self::assertTrue($facts[1]);
        self::assertNotContains(true, $facts[2], 'PHP checks no type that Python does not check');
    }

    public function testMethodsAreBoundAsInPython(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $facts = [];
            foreach ((new ReflectionClass('Drawn_Shape'))->getMethods() as $method) {
                $facts[$method->getName()] = implode(' ', Reflection::getModifierNames($method->getModifiers()));
            }
            return $facts;
            PHP);

        self::assertSame(['helped', 'made'], array_keys(preg_grep('/static/', $facts)));
        self::assertSame(['public', 'public static'], array_values(array_unique($facts)));
    }

    public function testConstantsAreThePublicUpperCaseAttributes(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $constants = (new ReflectionClass('Drawn_Shape'))->getConstants();
            $constants['RAW'] = bin2hex($constants['RAW']);
            return [
                $constants, Drawn_Shape::SIDES, constant('Drawn_Shape::NAME'), defined('Drawn_Shape::BIG'),
                (new ReflectionClassConstant('Drawn_Shape', 'SIDES'))->isPublic(),
            ];
            PHP);

        self::assertSame([
            'SIDES' => 4,
            'NAME' => "it's \"a\" \$shape\n",
            'RATIO' => 1.5,
            'NONE' => null,
            'YES' => true,
            'TABLE' => [1, [2, 'x'], null],
            'PAIR' => ['a', 2],
            'RAW' => '00ff',
        ], $facts[0]);
        self::assertSame([4, "it's \"a\" \$shape\n", false, true], \array_slice($facts, 1));
    }

    public function testDocstringsAreDocblocks(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $document = fn ($method) => (new ReflectionMethod('Drawn_Shape', $method))->getDocComment();
            return [
                (new ReflectionClass('Drawn_Shape'))->getDocComment(), $document('plain'), $document('helped'),
                $document('opaque'), $document('variadic'), $document('__construct'),
            ];
            PHP);

        self::assertSame([
            "/**\n * A shape.\n *\n * With * / in its text, ?> too, 'single' and \"double\" quotes, and a \$dollar.\n */",
            "/**\n * Takes it all.\n *\n * Indented.\n */",
            "/**\n * Helps.\n */",
            false,
            "/**\n * @param mixed \$option required, keyword-only: passed by name\n"
                . " * @param mixed \$other keyword-only: passed by name\n */",
            "/**\n * Makes a shape.\n *\n * @param mixed \$colour keyword-only: passed by name\n */",
        ], $facts);
    }

    public function testFileAndLinesAreThoseOfThePythonSource(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $class = new ReflectionClass('Drawn_Shape');
            $lines = ['class' => $class->getStartLine()];
            foreach ($class->getMethods() as $method) {
                if ($method->class === Tortoise\PyObject::class) {
                    continue;
                }
                $lines[$method->getName()] = $method->getFileName() === $class->getFileName() ? $method->getStartLine() : null;
            }
            return [$class->getFileName(), $lines];
            PHP);

        $file = __DIR__ . '/Drawn/Shape.py';
        $source = file($file);
        self::assertSame($file, $facts[0]);
        self::assertCount(11, $facts[1]);
        foreach ($facts[1] as $name => $line) {
            $wanted = match ($name) {
                'class' => 'class Drawn_Shape',
                '__construct' => 'def __init__(',
                // Python counts a decorated function from its decorator.
                'helped' => '@staticmethod',
                'made' => '@classmethod',
                default => "def {$name}(",
            };
            self::assertStringContainsString($wanted, $source[$line - 1]);
        }
    }

    public function testTheClassItselfIsAnOrdinaryClass(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $class = new ReflectionClass('Drawn_Shape');
            return [
                $class->getParentClass()->getName(), $class->getInterfaceNames(), $class->isInstantiable(), $class->isUserDefined(),
                $class->isFinal(), $class->isAbstract(), $class->isInterface(), $class->isCloneable(), $class->getShortName(),
                $class->inNamespace(), $class->getProperties(), $class->getConstructor()->getName(),
                $class->newInstance(3)->width, $class->newInstanceArgs([3, 'colour' => 'blue'])->colour,
            ];
            PHP);

        self::assertSame([
            'Tortoise\PyObject', ['Tortoise\Remote'], true, true,
            false, false, false, true, 'Drawn_Shape',
            false, [], '__construct',
            3, 'blue',
        ], $facts);
    }

    public function testPhpsQuestionsAboutMethodsTellTheTruth(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $shape = new Drawn_Shape(3);
            $names = ['plain', 'PLAIN', 'helped', 'made', 'area', 'width', '_private', '__init__', '__call__', 'absent', 'lower', 'SIDES'];
            $facts = [];
            foreach ($names as $name) {
                $facts[$name] = [
                    method_exists($shape, $name), method_exists('Drawn_Shape', $name), is_callable([$shape, $name]),
                    is_callable(['Drawn_Shape', $name]), is_callable("Drawn_Shape::{$name}"),
                ];
            }
            return [
                $facts, is_callable($shape), $shape(2), $shape->__invoke(factor: 3), $shape instanceof Closure,
                get_class_methods('Drawn_Shape'), get_object_vars($shape), array_map($shape->positional(...), [1, 2]),
                call_user_func([$shape, 'plain'], 1, b: 2)[1], call_user_func('Drawn_Shape::helped', y: 5, x: 4),
                (new ReflectionMethod($shape, 'positional'))->invoke($shape, 7),
                (new ReflectionMethod('Drawn_Shape::made'))->invokeArgs(null, ['n' => 9]),
            ];
            PHP);

        $method = [true, true, true, false, false];
        $static = [true, true, true, true, true];
        $absent = [false, false, false, false, false];
        self::assertSame([
            'plain' => $method, 'PLAIN' => $method, 'helped' => $static, 'made' => $static,
            'area' => $absent, 'width' => $absent, '_private' => $absent, '__init__' => $absent, '__call__' => $absent,
            'absent' => $absent, 'lower' => $absent, 'SIDES' => $absent,
        ], $facts[0]);
        self::assertSame([true, 6, 9, false], \array_slice($facts, 1, 4));
        $declared = ['__construct', 'plain', 'opaque', 'variadic', 'only_named', 'positional', 'annotated', 'odd_names', 'helped', 'made', 'toArray'];
        self::assertSame($declared, $facts[5]);
        self::assertSame(
            [[], [[1, 2], [2, 2]], 2, [4, 5], [7, 2], ['Drawn_Shape', 9]],
            \array_slice($facts, 6),
        );
    }

    public function testDefaultsAreWhatPythonGetsWhenNothingIsPassed(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $shape = new Drawn_Shape(3);
            $plain = $shape->plain(1, 2);
            return [
                $plain[7] === PHP_INT_MIN, is_infinite($plain[8]), array_slice($plain, 0, 7), $plain[9],
                $shape->opaque(), $shape->odd_names(1, _GET_: 5), $shape->annotated(b: 'x', a: 'y'),
                $shape->variadic(1, 2, 3, option: 4, extra: 5), $shape->only_named(this: 1, that: 2),
            ];
            PHP);

        self::assertSame([
            true, true, [1, 2, 1, 'text', 1.5, null, true], "\\'\"\$\n\0ä",
            [[], [], [], true, true, true, true], [1, 1, 5], ['y', 'x'],
            [1, [2, 3], 4, 3, ['extra' => 5]], ['this' => 1, 'that' => 2],
        ], $facts);
    }
}
