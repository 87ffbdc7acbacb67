<?php

declare(strict_types=1);

namespace Tortoise\Tests\Classes;

use Tortoise\Tests\Support\TestCase;

/** Classes of every kind that Python has are PHP classes that behave. */
final class KindsTest extends TestCase
{
    public function testDataclassesAndNamedTuples(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $point = $make('Point', 1, label: 'q');
            $class = $point::class;
            $constructor = (string) (new ReflectionMethod($class, '__construct'));
            $old = Tortoise\type('Kinds_Plain')->get('Old');
            $frozen = $make('Frozen');
            try {
                $frozen->n = 2;
            } catch (Tortoise\PythonException $refused) {
            }
            return [
                $class, [$point->x, $point->y, $point->tags, $point->label], $point->moved(by: 2)->x, (new $class(5, y: 6))->y, $class::ORIGIN,
                array_map(fn ($p) => $p->getName(), (new ReflectionMethod($class, '__construct'))->getParameters()),
                $refused->getPythonClass(), $refused instanceof Tortoise\Python\AttributeError,
                $make('Pair', 3)->total(), $make('Pair', 3)->right, $make('Old', 1)->b, $old(1, 2)->a, get_class($make('Old', 1)),
            ];
            PHP);

        self::assertSame([
            'Kinds\Plain\Point', [1, 2, [], 'q'], 3, 6, 0,
            ['x', 'y', 'tags', 'arguments'],
            'dataclasses.FrozenInstanceError', true,
        ], \array_slice($facts, 0, 8));
        // A plain tuple would be an array; this one has names and methods.
        self::assertSame([8, 5, 3, 1, 'Kinds\Plain\Old'], \array_slice($facts, 8));
    }

    public function testEnumsAreReferencesThatKeepTheirIdentity(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $colour = Tortoise\type('Kinds_Plain')->get('Colour');
            $red = $make('Colour', 'r');
            return [
                $red::class, $red->name, $red->value, $red->shout(), $red === $colour->RED, $red === $colour->BLUE,
                $red::first() === $red, $make('Number', 1)->name,
            ];
            PHP);

        self::assertSame(['Kinds\Plain\Colour', 'RED', 'r', 'RED!', true, false, true, 'ONE'], $facts);
    }

    public function testGenericProtocolAndAbstractClasses(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $box = $make('IntBox', 5);
            $square = $make('Square');
            try {
                $make('Shape');
            } catch (Tortoise\Python\TypeError $abstract) {
            }
            $shape = get_parent_class($square);
            try {
                new $shape();
            } catch (Tortoise\Python\TypeError $again) {
            }
            return [
                $box->get(), get_parent_class($box), array_values(class_parents($box)), $square->doubled(), $shape,
                array_values(class_parents($square)), str_contains($abstract->getMessage(), 'abstract'), $again->getMessage() === $abstract->getMessage(),
            ];
            PHP);

        self::assertSame([
            5, 'Kinds\Plain\Box', ['Kinds\Plain\Box', 'Tortoise\PyObject'], 8, 'Kinds\Plain\Shape',
            ['Kinds\Plain\Shape', 'Tortoise\PyObject'], true, true,
        ], $facts);
    }

    public function testClassesOnBuiltinTypes(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $list = new Based_List([3, 1, 2]);
            $dict = new Based_Dict(['b' => 1], a: 2);
            $number = new Based_Int(21);
            $text = new Based_Text('hi');
            return [
                $list->first(), $list->count(1), get_parent_class($list), $list instanceof Tortoise\Remote, $list->index(2),
                $dict->keys_sorted(), $dict->get('b'), $dict->get('none', 'x'), get_parent_class($dict),
                $number->doubled(), $number->bit_length(), $text->shout(), $text->upper(), (new Based_Set([1, 1]))->isdisjoint([2]),
                $list->sort(), $list->first(), $list->append(9), $list->pop(), (new Based_Int())->doubled(),
            ];
            PHP, classes: [
            'Based/List.py' => "class Based_List(list):\n    def first(self): return self[0]\n",
            'Based/Dict.py' => "class Based_Dict(dict):\n    def keys_sorted(self): return sorted(self)\n",
            'Based/Int.py' => "class Based_Int(int):\n    def doubled(self): return self * 2\n",
            'Based/Text.py' => "class Based_Text(str):\n    def shout(self): return self.upper() + '!'\n",
            'Based/Set.py' => "class Based_Set(frozenset): pass\n",
        ]);

        self::assertSame([
            3, 1, 'Tortoise\Python\builtins\list_', true, 2,
            ['a', 'b'], 1, 'x', 'Tortoise\Python\builtins\dict',
            42, 5, 'HI!', 'HI', true,
            null, 1, null, 9, 0,
        ], $facts);
    }

    public function testExceptionsAreExceptions(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            try {
                (new Kinds_Raiser())->worse();
            } catch (Kinds\Plain\Failure $error) {
            }
            return [
                $error::class, array_values(class_parents($error)), $error->getMessage(), $error->getCode(), $error->getCode_(), $error->detail(),
                $error instanceof Tortoise\Exception, $error instanceof Tortoise\Remote, method_exists($error, 'getCode_'),
                (new ReflectionMethod($error, 'getCode'))->isFinal(), $error->getPythonException()->code,
            ];
            PHP, classes: ['Kinds/Raiser.py' => <<<'PYTHON'
            from Kinds.Plain import Worse
            class Kinds_Raiser:
                def worse(self): raise Worse("worse", code=9)
            PYTHON]);

        self::assertSame([
            'Kinds\Plain\Worse',
            [
                'Kinds\Plain\Failure', 'Tortoise\Python\Exception', 'Tortoise\Python\BaseException', 'Tortoise\PythonException',
                'RuntimeException', 'Exception',
            ],
            'worse', 0, 9, 'detail 9',
            true, true, true, true, 9,
        ], $facts);
    }

    public function testMembersThatAreNotListedAreAskedForAtTheCall(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $any = $make('Anything');
            try {
                $any->other();
            } catch (Error $error) {
            }
            $closure = $any->call_later(...);
            return [
                $any->call_me(1, 'x', named: 2), $any->real(), is_callable([$any, 'call_x']), is_callable([$any, 'other']), method_exists($any, 'call_x'), method_exists($any, 'other'),
                get_class($error), $error->getMessage(), $closure(5), call_user_func([$any, 'call_y'], 6), array_map([$any, 'call_z'], [7]),
            ];
            PHP);

        self::assertSame([
            ['call_me', [1, 'x'], ['named' => 2]], 'real', true, false, true, false,
            'Error', 'Call to undefined method Kinds\Plain\Anything::other()',
            ['call_later', [5], []], ['call_y', [6], []], [['call_z', [7], []]],
        ], $facts);
    }

    public function testMetaclasses(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $object = $make('Registered', 4);
            $class = $object::class;
            return [
                $object->n, $object->by_metaclass, (new $class(n: 5))->n, $class::known(), get_parent_class($object),
                Tortoise\type($class)->known(), is_callable([$object, 'known']),
            ];
            PHP);

        self::assertSame([4, true, 5, ['Registered'], 'Tortoise\PyObject', ['Registered'], false], $facts);
    }

    public function testDecoratedMethods(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $object = $make('Decorated');
            $names = fn ($method) => implode(', ', array_map(
                fn ($p) => ($p->isVariadic() ? '...' : '') . $p->getName(),
                (new ReflectionMethod($object, $method))->getParameters(),
            ));
            return [
                $object->wrapped(1), $names('wrapped'), (new ReflectionMethod($object, 'wrapped'))->getDocComment(),
                $object->hidden(1), $names('hidden'), $object->cached(5), $names('cached'), $object->once, method_exists($object, 'once'),
                $object->preset(), $names('preset'), $object->anonymous(4), $names('anonymous'), $object->alias(2, b: 3),
                $object::still(4), $names('still'), $object->dispatched(1), $object->dispatched('x'),
            ];
            PHP);

        self::assertSame([
            4, 'a, b', "/**\n * Wrapped.\n */",
            6, '...args', 5, 'a', 'once', false,
            22, 'b', 8, 'a, b', 10,
            8, 'a', 'int', 'any',
        ], $facts);
    }

    public function testNestedNamelessAndOddlyNamedClasses(): void
    {
        $facts = self::evaluate(self::MAKE . <<<'PHP'
            $holder = $make('Inner_Holder');
            $nameless = $holder->anonymous();
            $odd = $holder->odd();
            return [
                $holder->inner()::class, $holder->inner()->name(), $nameless instanceof Tortoise\PyObject, $odd instanceof Tortoise\PyObject,
                $odd->fine(), get_class_methods($odd), $make('Slotted')->a, isset($make('Slotted')->b), $holder->Inner()->name(), method_exists($holder, 'Inner'),
            ];
            PHP);

        self::assertSame([
            'Kinds\Plain\Inner_Holder\Inner', 'inner', true, true,
            'fine', ['__construct', 'fine', 'toArray'], 1, false, 'inner', true,
        ], $facts);
    }

    private const MAKE = '$make = fn (...$arguments) => Kinds_Plain::make(...$arguments);' . "\n";
}
