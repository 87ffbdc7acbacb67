<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Shelf;
use Tortoise\ConversionException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** `json_encode` writes what has a form in JSON, and throws for all else: never `{}`. */
final class JsonTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{string, string, list<mixed>}> */
    public static function forms(): iterable
    {
        yield 'a dataclass, without what is private' => ['{"x":1,"y":null,"tags":[]}', 'Point', [1]];
        yield 'a list' => ['[1,"ä",[],{"a":null}]', 'row', [1, 'ä', [], ['a' => null]]];
        yield 'an empty list' => ['[]', 'row', []];
        yield 'an empty mapping' => ['{}', 'ordered', []];
        yield 'a mapping with keys like a list' => ['{"0":"a","1":"b"}', 'Lookup', [[0, 'a'], [1, 'b']]];
        yield 'a mapping in a class' => ['{"k":[1.5,true]}', 'userdict', [['k', [1.5, true]]]];
        yield 'a sequence' => ['[0,1,2]', 'Steps', [3]];
        yield 'a deque' => ['[1,2]', 'deque', [1, 2]];
        yield 'a range' => ['[0,1]', 'range', [2]];
        yield 'an enum of integers' => ['3', 'Level', [3]];
        yield 'digits beyond PHP' => ['"123456789012345678901234567890"', 'big', ['123456789012345678901234567890']];
    }

    /**
     * @dataProvider forms
     * @param list<mixed> $arguments
     */
    public function testWhatHasAForm(string $expected, string $kind, array $arguments): void
    {
        $object = Shelf::make($kind, ...$arguments);
        self::assertSame($expected, json_encode($object, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE));
        self::assertEquals(json_decode($expected), $object->jsonSerialize());
        self::assertSame("{\"in\":[{$expected}]}", json_encode(['in' => [$object]], JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE));
    }

    public function testWhatStandsWithin(): void
    {
        $point = Shelf::make('Point', Shelf::make('Point', Shelf::make('day', 2024, 2, 29)), Shelf::make('Lookup', ['a', Shelf::make('row', 1)]));
        self::assertSame('{"x":{"x":"2024-02-29","y":null,"tags":[]},"y":{"a":[1]},"tags":[]}', json_encode($point));
        $colours = Shelf::make('enumeration');
        self::assertSame('["r"]', json_encode(Shelf::make('row', $colours['RED'])));
        $floats = json_encode(Shelf::make('row', 1.0, 0.1, -0.0, 1e300), JSON_PRESERVE_ZERO_FRACTION);
        self::assertSame('[1.0,0.1,-0.0,1.0e+300]', $floats);
    }

    /** @return iterable<string, array{string, list<mixed>}> */
    public static function others(): iterable
    {
        foreach (['Plain' => [], 'decimal' => ['1'], 'day' => [2024, 1, 1], 'Recorder' => [], 'Shelf' => []] as $kind => $arguments) {
            yield $kind => [$kind, $arguments];
        }
        foreach (['function', 'class', 'module', 'exception', 'generator', 'slice'] as $kind) {
            yield $kind => [$kind, $kind === 'slice' ? [1] : []];
        }
    }

    /**
     * @dataProvider others
     * @param list<mixed> $arguments
     */
    public function testWhatHasNone(string $kind, array $arguments): void
    {
        $object = Shelf::make($kind, ...$arguments);
        foreach ([static fn() => json_encode($object), static fn() => json_encode(['deep' => [$object]], JSON_PARTIAL_OUTPUT_ON_ERROR)] as $encode) {
            try {
                self::fail('it became ' . $encode());
            } catch (ConversionException $error) {
                self::assertStringContainsString('has no form in JSON', $error->getMessage());
            }
        }
    }

    public function testWhatHasNoneWithinWhatHas(): void
    {
        foreach ([['Plain', 'Shelf.Plain', []], ['decimal', 'decimal.Decimal', ['1']]] as [$kind, $name, $arguments]) {
            try {
                self::fail('it became ' . json_encode(Shelf::make('Point', Shelf::make($kind, ...$arguments))));
            } catch (\Tortoise\Python\TypeError $error) {
                self::assertStringContainsString($name, $error->getMessage());
                self::assertStringContainsString('no form in JSON', $error->getMessage());
            }
        }
    }

    public function testWhatJsonCannotSay(): void
    {
        foreach ([[NAN], [INF]] as $arguments) {
            try {
                self::fail('it became ' . json_encode(Shelf::make('row', ...$arguments)));
            } catch (\Tortoise\Python\ValueError $error) {
                self::assertStringContainsString('JSON', $error->getMessage());
            }
        }
        $row = Shelf::make('row');
        $row[] = $row;
        $this->expectException(\Tortoise\Python\ValueError::class);
        $this->expectExceptionMessage('Circular reference');
        json_encode($row);
    }
}
