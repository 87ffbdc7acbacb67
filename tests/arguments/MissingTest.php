<?php

declare(strict_types=1);

namespace Tortoise\Tests\Arguments;

use Taken;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** A missing argument is named before anything is sent; a surplus one is Python's to refuse. */
final class MissingTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{callable, string}> */
    public static function incompleteCalls(): iterable
    {
        $taken = static fn() => new Taken(0);
        yield 'a constructor' => [static fn() => new Taken(), 'Taken::__construct(): the argument is missing: $first'];
        yield 'an inherited constructor' => [static fn() => new \Taken_Child(), '::__construct(): the argument is missing: $first'];
        yield 'a method' => [static fn() => $taken()->plain(1), 'Taken::plain(): the argument is missing: $b'];
        yield 'a method without any' => [static fn() => $taken()->plain(), 'Taken::plain(): the arguments are missing: $a, $b'];
        yield 'one by name only' => [static fn() => $taken()->keyword_only(1), 'Taken::keyword_only(): the argument is missing: $needed'];
        yield 'one by name and one by place' => [static fn() => $taken()->keyword_only(wanted: 1), 'the arguments are missing: $a, $needed'];
        yield 'two by name' => [static fn() => $taken()->two_keywords(), 'the arguments are missing: $needed, $also'];
        yield 'a static method' => [static fn() => Taken::static(), 'Taken::static(): the argument is missing: $a'];
        yield 'one left out' => [static fn() => $taken()->plain(1, \Tortoise\LEFT_OUT), 'Taken::plain(): the argument is missing: $b'];
        yield 'one by name left out' => [static fn() => $taken()->keyword_only(1, needed: \Tortoise\LEFT_OUT), 'the argument is missing: $needed'];
    }

    /** @dataProvider incompleteCalls */
    public function testAMissingArgumentIsNamed(callable $call, string $message): void
    {
        try {
            $call();
            self::fail('the call went through');
        } catch (\ArgumentCountError $error) {
            self::assertStringContainsString($message, $error->getMessage());
            self::assertSame(__FILE__, $error->getFile(), 'the error comes from the PHP code that made the call');
            self::assertSame(self::lineOf($call), $error->getLine());
        }
    }

    /** @return iterable<string, array{callable, string}> */
    public static function callsWithAGap(): iterable
    {
        yield 'a constructor' => [static fn() => new Taken(second: 2), 'Taken::__construct(): Argument #1 ($first) not passed'];
        yield 'a method' => [static fn() => (new Taken(0))->plain(b: 1), 'Taken::plain(): Argument #1 ($a) not passed'];
        yield 'a class method' => [static fn() => Taken::of_class(b: 1), 'Taken::of_class(): Argument #1 ($a) not passed'];
    }

    /**
     * PHP itself looks before it enters a method whether an argument before a named one is missing.
     *
     * @dataProvider callsWithAGap
     */
    public function testAMissingArgumentBeforeANamedOneIsNamedByPhp(callable $call, string $message): void
    {
        try {
            $call();
            self::fail('the call went through');
        } catch (\ArgumentCountError $error) {
            self::assertSame($message, $error->getMessage());
            self::assertSame(__FILE__, $error->getTrace()[0]['file'] ?? null);
            self::assertSame(self::lineOf($call), $error->getTrace()[0]['line'] ?? null);
        }
    }

    public function testNothingIsMadeOfAnIncompleteCall(): void
    {
        $object = null;
        try {
            $object = new Taken();
        } catch (\ArgumentCountError) {
        }
        self::assertNull($object);
        self::assertSame([1, 2], (new Taken(0))->plain(1, 2));
    }

    /** @return iterable<string, array{callable, string}> */
    public static function surplusCalls(): iterable
    {
        $taken = static fn() => new Taken(0);
        yield 'of a method' => [static fn() => $taken()->plain(1, 2, 3), 'takes 3 positional arguments but 4 were given'];
        yield 'many of a method' => [static fn() => $taken()->plain(1, 2, 3, 4, 5, 6, 7), 'takes 3 positional arguments but 8 were given'];
        yield 'of a method without any' => [static fn() => Taken::nothing()->none(1), 'takes 1 positional argument but 2 were given'];
        yield 'of a constructor without any' => [static fn() => (new \ReflectionClass(Taken::nothing()))->newInstance(1), 'takes no arguments'];
        yield 'of a static method' => [static fn() => Taken::static(1, 2, 3), 'takes from 1 to 2 positional arguments but 3 were given'];
        yield 'one by place for one by name' => [static fn() => $taken()->keyword_only(1, 2, needed: 3), 'takes 2 positional arguments but 3'];
    }

    /** @dataProvider surplusCalls */
    public function testSurplusArgumentsReachPython(callable $call, string $message): void
    {
        $this->expectException(\Tortoise\Python\TypeError::class);
        $this->expectExceptionMessage($message);
        $call();
    }

    public function testAnUnknownNameIsRefused(): void
    {
        foreach ([static fn() => (new Taken(0))->plain(1, 2, c: 3), static fn() => (new Taken(0))->list_only(x: 1)] as $call) {
            try {
                $call();
                self::fail('the name was taken');
            } catch (\Tortoise\Python\TypeError | \Error $error) {
                self::assertMatchesRegularExpression("/unknown named parameter|unexpected keyword argument/i", $error->getMessage());
            }
        }
    }

    public function testAnArgumentTwiceIsRefused(): void
    {
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('$a');
        (new Taken(0))->plain(1, a: 2);
    }

    public function testAnArgumentTwiceUnderTwoNamesIsRefused(): void
    {
        $taken = new Taken(0);
        self::assertSame([1, 'x', []], $taken->renamed_and_more(this_: 'x'));
        self::assertSame([1, 'y', []], $taken->renamed_and_more(this: 'y'));
        try {
            $taken->renamed_and_more(this_: 'x', this: 'y');
            self::fail('the argument was given twice');
        } catch (\ArgumentCountError $error) {
            self::assertStringContainsString('$this_ is given twice', $error->getMessage());
        }
        self::assertSame([1, 2, []], $taken->renamed_and_more());
    }

    /** @return iterable<string, array{callable(Taken): mixed, class-string<\Throwable>, string}> */
    public static function badCalls(): iterable
    {
        $long = str_repeat('n', 5000);
        yield 'too many arguments' => [static fn(Taken $t) => $t->hundred(...range(1, 70_000)), \ArgumentCountError::class, '65536'];
        yield 'too many of a dynamic method' => [static fn(Taken $t) => $t->dynamic(...range(1, 70_000)), \ArgumentCountError::class, '65536'];
        yield 'too many by name' => [
            static fn(Taken $t) => $t->names_only(...array_combine(array_map(static fn(int $i): string => "n{$i}", range(1, 70_000)), range(1, 70_000))),
            \ArgumentCountError::class, '65536',
        ];
        yield 'a name that is too long' => [static fn(Taken $t) => $t->names_only(...[$long => 1]), \Tortoise\AccessException::class, '5000 bytes'];
        yield 'a long name for a dynamic method' => [static fn(Taken $t) => $t->dynamic(...[$long => 1]), \Tortoise\AccessException::class, '5000 bytes'];
        yield 'a name that is not UTF-8' => [static fn(Taken $t) => $t->names_only(...["\xff" => 1]), \Tortoise\ConversionException::class, 'not UTF-8'];
        yield 'a method name that is too long' => [static fn(Taken $t) => $t->{$long}(), \Tortoise\AccessException::class, '5000 bytes'];
        yield 'a method name that is not UTF-8' => [static fn(Taken $t) => $t->{"\xff"}(), \Error::class, 'undefined method'];
        yield 'a static method name that is too long' => [static fn(Taken $t) => Taken::{$long}(), \Tortoise\AccessException::class, '5000 bytes'];
    }

    /**
     * @dataProvider badCalls
     * @param callable(Taken): mixed $call
     * @param class-string<\Throwable> $class
     */
    public function testABadCallHarmsNothing(callable $call, string $class, string $message): void
    {
        $taken = new Taken(0);
        try {
            $call($taken);
            self::fail('the call went through');
        } catch (\Throwable $error) {
            self::assertInstanceOf($class, $error);
            self::assertStringContainsString($message, $error->getMessage());
            self::assertLessThan(300, \strlen($error->getMessage()));
            self::assertSame(__FILE__, $error->getFile());
        }
        self::assertSame([1, 2], $taken->plain(1, 2), 'session and object are still there');
    }

    private static function lineOf(callable $call): int
    {
        return (new \ReflectionFunction($call))->getStartLine();
    }
}
