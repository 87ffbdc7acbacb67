<?php

declare(strict_types=1);

namespace Tortoise\Tests\Arguments;

use Taken;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** By place, by name, spread and collected: every argument arrives where Python's own call would put it. */
final class PassingTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testAConstructorTakesWhatPythonsTakes(): void
    {
        self::assertSame([1, 2, [], 3, []], (new Taken(1))->given);
        self::assertSame([1, 'b', [], 3, []], (new Taken(1, 'b'))->given);
        self::assertSame([1, 'b', ['c', 'd'], 3, []], (new Taken(1, 'b', 'c', 'd'))->given);
        self::assertSame([1, 2, [], 'c', []], (new Taken(1, third: 'c'))->given);
        self::assertSame([1, 'b', [], 3, []], (new Taken(second: 'b', first: 1))->given);
        self::assertSame([1, 2, [], 3, ['x' => 'y', 'z' => [1]]], (new Taken(1, x: 'y', z: [1]))->given);
        self::assertSame([1, 2, [3], 4, ['n' => 5]], (new Taken(...[1, 2, 3, 'third' => 4, 'n' => 5]))->given);
    }

    public function testAnInheritedConstructorTakesTheSame(): void
    {
        self::assertSame([1, 'b', ['c'], 'd', ['e' => 5]], (new \Taken_Child(1, 'b', 'c', third: 'd', e: 5))->given);
        self::assertSame([1, 2, [], 3, []], (new \Taken_Child(first: 1))->given);
    }

    public function testByPlaceAndByName(): void
    {
        $taken = new Taken(0);
        self::assertSame([1, 2], $taken->plain(1, 2));
        self::assertSame([1, 2], $taken->plain(1, b: 2));
        self::assertSame([1, 2], $taken->plain(b: 2, a: 1));
        self::assertSame([1, 2], $taken->plain(...[1, 2]));
        self::assertSame([1, 2], $taken->plain(...['b' => 2, 'a' => 1]));
        self::assertSame([1, 2, 3, 4, 5, 6], $taken->many(1, 2, 3, 4, 5));
        self::assertSame([1, 2, 3, 4, 5, 'f'], $taken->many(1, 2, 3, f: 'f', e: 5, d: 4));
    }

    public function testDefaults(): void
    {
        $taken = new Taken(0);
        self::assertSame([1, 'b', null], $taken->optional(1));
        self::assertSame([1, 'B', null], $taken->optional(1, 'B'));
        self::assertSame([1, 'b', 'C'], $taken->optional(1, c: 'C'));
        self::assertSame([1, null, null], $taken->optional(1, null));
        self::assertTrue($taken->object_default());
    }

    public function testKeywordOnly(): void
    {
        $taken = new Taken(0);
        self::assertSame([1, 'n', 'w'], $taken->keyword_only(1, needed: 'n'));
        self::assertSame([1, 'n', 'W'], $taken->keyword_only(wanted: 'W', needed: 'n', a: 1));
        self::assertSame([1, null, 'w'], $taken->keyword_only(1, needed: null));
    }

    public function testPositionalOnly(): void
    {
        $taken = new Taken(0);
        self::assertSame(['a', 'b', 'c'], $taken->positional_only('a'));
        self::assertSame(['a', 'B', 'C'], $taken->positional_only('a', 'B', 'C'));
        self::assertSame(['a', 'B', 'C'], $taken->positional_only('a', 'B', c: 'C'));
    }

    public function testVariadics(): void
    {
        $taken = new Taken(0);
        self::assertSame(['args' => [], 'kwargs' => []], $taken->anything());
        self::assertSame(['args' => [1, [2]], 'kwargs' => ['x' => 3]], $taken->anything(1, [2], x: 3));
        self::assertSame([1, 2, 3, 4, 5, 6], $taken->list_only(1, 2, 3, 4, 5, 6));
        self::assertSame(['ä' => 1, 'b' => 2], $taken->names_only(...['ä' => 1, 'b' => 2]));
        self::assertSame(['args' => 2, 'kwargs' => 3], $taken->names_only(...['args' => 2, 'kwargs' => 3]));
        self::assertSame([1, [2, 3], 'Z'], $taken->rest_in_the_middle(1, 2, 3, z: 'Z'));
        self::assertSame(1000, $taken->hundred(...range(1, 1000)));
    }

    public function testParametersWithNamesThatPhpRefuses(): void
    {
        $taken = new Taken(0);
        self::assertSame([1, 2, 3], $taken->named_like_php());
        self::assertSame(['x', 'y', 'z'], $taken->named_like_php('x', 'y', 'z'));
        self::assertSame(['x', 2, 'z'], $taken->named_like_php(this_: 'x', GLOBALS_: 'z'));
    }

    public function testStaticAndClassMethods(): void
    {
        self::assertSame([1, 'b'], Taken::static(1));
        self::assertSame([1, 2], Taken::static(b: 2, a: 1));
        self::assertSame(['Taken', 1, 'b'], Taken::of_class(1));
        self::assertSame(['Taken_Child', 1, 2], \Taken_Child::of_class(1, b: 2));
        $taken = new \Taken_Child(0);
        self::assertSame([1, 'b'], $taken->static(1));
        self::assertSame(['Taken_Child', 1, 'b'], $taken::of_class(1));
        self::assertSame(['Taken_Child', 1, 'b'], $taken->of_class(1));
    }

    public function testMethodsThatOnlyPythonKnows(): void
    {
        $taken = new Taken(0);
        self::assertSame(['dynamicFoo', [1, 2], ['k' => 3]], $taken->dynamicFoo(1, 2, k: 3));
        self::assertSame(['dynamic', [], []], $taken->dynamic());
        self::assertSame(['dynamic', range(1, 20), []], $taken->dynamic(...range(1, 20)));
    }

    public function testThroughPhpsOwnWaysOfCalling(): void
    {
        $taken = new Taken(0);
        self::assertSame([1, 2], \call_user_func([$taken, 'plain'], 1, 2));
        self::assertSame([1, 2], \call_user_func_array([$taken, 'plain'], ['b' => 2, 'a' => 1]));
        self::assertSame([[1, 'b', null], [2, 'b', null]], array_map([$taken, 'optional'], [1, 2]));
        self::assertSame([1, 2], $taken->plain(...)(1, 2));
        self::assertSame([1, 2], (new \ReflectionMethod($taken, 'plain'))->invoke($taken, 1, 2));
        self::assertSame([1, 'x', [], 3, []], (new \ReflectionClass(Taken::class))->newInstance(1, 'x')->given);
        self::assertSame([1, 'b'], \call_user_func('Taken::static', 1));
        $method = 'plain';
        self::assertSame([1, 2], $taken->$method(1, 2));
        self::assertSame(['dynamicBar', [1], []], \call_user_func([$taken, 'dynamicBar'], 1));
    }

    public function testArgumentsArePassedAsTheyAreAtTheCall(): void
    {
        $taken = new Taken(0);
        $list = [1];
        $reference = &$list[0];
        self::assertSame([[1], 'x'], $taken->plain($list, 'x'));
        $reference = 2;
        self::assertSame([[2], 2], $taken->plain($list, $reference));
    }
}
