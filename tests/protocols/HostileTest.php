<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Money;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Protocols that go wrong in Python are exceptions in PHP, and the session goes on. */
final class HostileTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return array<string, callable(object): mixed> */
    private static function uses(): array
    {
        return [
            'count' => static fn(object $o) => \count($o),
            'read' => static fn(object $o) => $o['k'],
            'write' => static function (object $o): void { $o['k'] = 1; },
            'isset' => static fn(object $o) => isset($o['k']),
            'empty' => static fn(object $o) => empty($o['k']),
            'coalesce' => static fn(object $o) => $o['k'] ?? 1,
            'unset' => static function (object $o): void { unset($o['k']); },
            'write within' => static function (object $o): void { $o['k']['j'] = 1; },
            'string' => static fn(object $o) => (string) $o,
            'interpolation' => static fn(object $o) => "x{$o}",
            'concatenation' => static fn(object $o) => $o . 'x',
            'integer' => static fn(object $o) => (int) $o,
            'float' => static fn(object $o) => (float) $o,
            'equal' => static fn(object $o) => $o == 5,
            'less' => static fn(object $o) => $o < 5,
            'spaceship' => static fn(object $o) => 5 <=> $o,
            'search' => static fn(object $o) => \in_array($o, [1, 2]),
            'sort' => static function (object $o): void { $list = [$o, 2, 1]; sort($list); },
            'plus' => static fn(object $o) => $o + 1,
            'plus on the right' => static fn(object $o) => 1 + $o,
            'assignment' => static function (object $o): void { $o += 1; },
            'increment' => static function (object $o): void { $o++; },
            'minus' => static fn(object $o) => -$o,
            'invert' => static fn(object $o) => ~$o,
            'clone' => static fn(object $o) => clone $o,
        ];
    }

    public function testWhatPythonRaisesComesThrough(): void
    {
        foreach (self::uses() as $name => $use) {
            foreach (['raise' => 'not today', 'type error' => 'unsupported operand type(s) for fun', 'recurse' => 'maximum recursion depth exceeded'] as $how => $message) {
                $object = Money::make('Hostile', $how);
                try {
                    $use($object);
                    // A search wants equality only, but asks for order, so its errors of type say nothing.
                    self::fail("{$name} with {$how} was answered");
                } catch (\Tortoise\PythonException $error) {
                    self::assertStringContainsString($message, $error->getMessage(), "{$name} with {$how}");
                }
                self::assertSame($how, $object->how);
            }
        }
    }

    public function testResultsThatAreNoResults(): void
    {
        $uses = self::uses();
        $cases = [
            ['count', 'negative', '__len__() should return >= 0'],
            ['count', 'huge', 'cannot fit'],
            ['count', 'a text', 'cannot be interpreted as an integer'],
            ['string', 'negative', '__str__ returned non-string (type int)'],
            ['concatenation', 'huge', '__str__ returned non-string (type int)'],
            ['string', 'surrogate', 'surrogates not allowed'],
            ['integer', 'a text', '__int__ returned non-int'],
            ['float', 'negative', 'returned non-float'],
        ];
        foreach ($cases as [$name, $how, $message]) {
            try {
                $uses[$name](Money::make('Hostile', $how));
                self::fail("{$name} with {$how} was answered");
            } catch (\Tortoise\PythonException $error) {
                self::assertStringContainsString($message, $error->getMessage(), "{$name} with {$how}");
            }
        }
        // Any value is a truth value, an item and a sum.
        self::assertTrue(Money::make('Hostile', 'negative') == 5);
        self::assertSame([-1, 'text', 'text'], [Money::make('Hostile', 'negative') + 1, Money::make('Hostile', 'text')['x'], 1 + Money::make('Hostile', 'text')]);
        $this->expectException(\TypeError::class);
        $this->expectExceptionMessage('a truth value for each element');
        Money::make('Hostile', 'text') == 5;
    }
}
