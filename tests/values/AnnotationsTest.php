<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use DateInterval;
use DateTimeImmutable;
use Tortoise\ConversionException;
use Tortoise\PythonException;
use Tortoise\Tests\Support\TestCase;
use Wishing;

use function Tortoise\register;

/** A parameter's annotation says what it wants of PHP's values; where it says nothing the plain rule holds. */
final class AnnotationsTest extends TestCase
{
    private const CASES = 500;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @dataProvider fitting */
    public function testAValueBecomesWhatTheParameterWants(string $method, mixed $value, string $expected): void
    {
        self::assertSame($expected, Wishing::$method($value));
    }

    /** @return iterable<string, array{string, mixed, string}> */
    public static function fitting(): iterable
    {
        $moment = new DateTimeImmutable('2024-02-29T12:30:00Z');
        $utc = 'tzinfo=datetime.timezone.utc';
        yield 'bytes of a text' => ['wants_bytes', 'naïve', "bytes 6 b'na\\xc3\\xafve'"];
        yield 'bytes of bytes' => ['wants_bytes', "\xff", "bytes 1 b'\\xff'"];
        yield 'bytes of a long text' => ['wants_bytes', str_repeat('x', 100_000), "bytes 100000 b'xxxxxxxx'"];
        yield 'bytes or str of a text' => ['wants_bytes_or_text', 'x', "'x'"];
        yield 'bytes or str of bytes' => ['wants_bytes_or_text', "\xff", "b'\\xff'"];
        yield 'a tuple' => ['wants_tuple', [1, [2]], '(1, [2])'];
        yield 'an empty tuple' => ['wants_tuple', [], '()'];
        yield 'a tuple of a vector' => ['wants_tuple', range(1, 20), '(' . implode(', ', range(1, 20)) . ')'];
        yield 'a pair' => ['wants_pair', ['1.50', 'a'], "(Decimal('1.50'), 'a')"];
        yield 'a tuple of decimals' => ['wants_decimals', [1, '2.0'], "(Decimal('1'), Decimal('2.0'))"];
        yield 'a set' => ['wants_set', [3, 3, 4], '{3, 4}'];
        yield 'a set of members' => ['wants_frozenset', [2, 2], 'frozenset({<Colour.GREEN: 2>})'];
        yield 'an empty dict' => ['wants_dict', [], '{}'];
        yield 'a dict of a list' => ['wants_dict', ['a', 'b'], "{0: 'a', 1: 'b'}"];
        yield 'a dict' => ['wants_dict', ['k' => 1, 5 => 2], "{'k': 1, 5: 2}"];
        yield 'a mapping with digits for a key' => ['wants_mapping', ['7' => '2024-02-29'], "{'7': datetime.date(2024, 2, 29)}"];
        yield 'a mapping of dates' => ['wants_mapping', ['k' => '2024-02-29'], "{'k': datetime.date(2024, 2, 29)}"];
        yield 'a typed dict' => ['wants_options', [], '{}'];
        yield 'a datetime' => ['wants_datetime', $moment, "datetime.datetime(2024, 2, 29, 12, 30, {$utc})"];
        yield 'a datetime of a string' => ['wants_datetime', '2024-02-29T12:30:00Z', "datetime.datetime(2024, 2, 29, 12, 30, {$utc})"];
        yield 'a date of a datetime' => ['wants_date', $moment, 'datetime.date(2024, 2, 29)'];
        yield 'a date of a string' => ['wants_date', '2024-02-29', 'datetime.date(2024, 2, 29)'];
        yield 'a time of a string' => ['wants_time', '12:30', 'datetime.time(12, 30)'];
        yield 'a timedelta' => ['wants_timedelta', new DateInterval('PT90S'), 'datetime.timedelta(seconds=90)'];
        yield 'a timedelta of an int' => ['wants_timedelta', -1, 'datetime.timedelta(days=-1, seconds=86399)'];
        yield 'a timedelta of a float' => ['wants_timedelta', 0.25, 'datetime.timedelta(microseconds=250000)'];
        yield 'a member of its value' => ['wants_colour', 'r', "<Colour.RED: 'r'>"];
        yield 'a member of its name' => ['wants_colour', 'GREEN', '<Colour.GREEN: 2>'];
        yield 'a value comes before a name' => ['wants_colour', 'RED', "<Colour.BLUE: 'RED'>"];
        yield 'a member that is an int' => ['wants_level', 1, '<Level.LOW: 1>'];
        yield 'a dataclass' => ['wants_node', ['name' => 'a', 'at' => ['x' => '1.5'], 'children' => [['name' => 'b']], 'on' => '2024-02-29'], "Node(name='a', at=Point(x=Decimal('1.5'), y=Decimal('0')), children=[Node(name='b', at=None, children=[], on=None)], on=datetime.date(2024, 2, 29))"];
        yield 'a decimal of a float' => ['wants_decimal', 0.1, "Decimal('0.1')"];
        yield 'a decimal of an int' => ['wants_decimal', PHP_INT_MIN, "Decimal('-9223372036854775808')"];
        yield 'a decimal of a string' => ['wants_decimal', '1e-30', "Decimal('1E-30')"];
        yield 'a new type' => ['wants_price', '9.90', "Decimal('9.90')"];
        yield 'a uuid' => ['wants_uuid', '12345678-1234-5678-1234-567812345678', "UUID('12345678-1234-5678-1234-567812345678')"];
        yield 'a path' => ['wants_path', '/tmp/x', "PosixPath('/tmp/x')"];
        yield 'none' => ['wants_decimal', null, 'None'];
        yield 'an optional' => ['wants_optional', '1', "Decimal('1')"];
        yield 'an optional none' => ['wants_optional', null, 'None'];
        yield 'the first of some' => ['wants_one_of', '2024-02-29', 'datetime.date(2024, 2, 29)'];
        yield 'the second of some' => ['wants_one_of', 5, '5'];
        yield 'the third of some' => ['wants_one_of', ['5'], "[Decimal('5')]"];
        yield 'one that cannot tell' => ['wants_odd_or_decimal', '5', "'5'"];
        yield 'a list' => ['wants_list', ['5', 1, null], "[Decimal('5'), Decimal('1'), None]"];
        yield 'no annotation' => ['plain', ['5'], "['5']"];
    }

    /** @dataProvider unfit */
    public function testAValueThatDoesNotFitIsRefusedAtItsPlace(string $method, mixed $value, string $message): void
    {
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage($message);
        Wishing::$method($value);
    }

    /** @return iterable<string, array{string, mixed, string}> */
    public static function unfit(): iterable
    {
        yield 'no tuple' => ['wants_tuple', 5, 'args[0]: expected tuple, got int 5'];
        yield 'no pair' => ['wants_pair', ['1'], "args[0]: expected tuple[decimal.Decimal, str], got list ['1']: 1 elements instead of 2"];
        yield 'no element of a tuple' => ['wants_decimals', [1, 'x'], "args[0][1]: expected Decimal, got str 'x'"];
        yield 'no set' => ['wants_set', [[1]], 'args[0]: expected set[int], got list [[1]]: unhashable'];
        yield 'no dict' => ['wants_dict', 'x', "args[0]: expected dict, got str 'x'"];
        yield 'no date in a mapping' => ['wants_mapping', ['k' => 'x'], "args[0][\"k\"]: expected date, or a string of one, got str 'x'"];
        yield 'no datetime' => ['wants_datetime', 5, 'args[0]: expected datetime, or a string of one, got int 5'];
        yield 'no such day' => ['wants_date', '2023-02-29', "args[0]: expected date, or a string of one, got str '2023-02-29'"];
        yield 'no timedelta' => ['wants_timedelta', NAN, 'args[0]: expected timedelta, or a number of seconds, got float nan'];
        yield 'no member' => ['wants_colour', 'x', "args[0]: expected a value or name of Colour (RED, GREEN, BLUE), got str 'x'"];
        yield 'no field' => ['wants_node', ['name' => 'a', 'size' => 1], "args[0]: expected a field of Node, got str 'size'"];
        yield 'a field is missing' => ['wants_node', ['name' => 'a', 'at' => []], 'args[0]["at"]: '];
        yield 'a field of a child' => ['wants_node', ['name' => 'a', 'children' => [['name' => 'b', 'on' => 5]]], 'args[0]["children"][0]["on"]: '];
        yield 'no decimal' => ['wants_decimal', true, 'args[0]: expected Decimal, got bool True'];
        yield 'no uuid' => ['wants_uuid', 'x', "args[0]: expected UUID, or a string of one, got str 'x'"];
        yield 'no path' => ['wants_path', "\xff", 'args[0]: expected Path, or a string of one, got bytes'];
        yield 'none of some' => ['wants_one_of', 1.5, 'args[0]: expected '];
        yield 'no list' => ['wants_list', ['k' => 1], "args[0]: expected list[decimal.Decimal], got dict {'k': 1}"];
    }

    public function testEveryKindOfParameterIsLookedAt(): void
    {
        $uuid = '12345678-1234-5678-1234-567812345678';
        self::assertSame(
            "({'k': [datetime.date(2024, 1, 1)]}, (datetime.date(2024, 1, 2),), [UUID('{$uuid}')])",
            Wishing::wants_days(['k' => ['2024-01-01']], '2024-01-02', last: [$uuid]),
        );
        self::assertSame('datetime.date(2024, 1, 1)', (new Wishing('2024-01-01'))->shows_start());
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage('kwargs["last"][0]: expected UUID');
        Wishing::wants_days([], last: ['x']);
    }

    public function testAnnotationsThatMakeNoSenseAskForNothing(): void
    {
        self::assertSame("([1], 'b', 'c', {'d': 1})", Wishing::wants_nothing_known([1], 'b', 'c', ['d' => 1]));
    }

    public function testWhatADataclassRaisesIsItsOwn(): void
    {
        $this->expectException(PythonException::class);
        $this->expectExceptionMessage('a node has a name');
        Wishing::wants_node(['name' => '']);
    }

    public function testDecimalsOfFloatsAreWhatPhpShows(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            mt_srand($seed);
            $float = mt_rand() / mt_rand(1, 1000) * 10 ** mt_rand(-20, 20);
            $shown = Wishing::wants_decimal($float);
            self::assertSame($float, (float) substr($shown, 9, -2), "the float of seed {$seed} became {$shown}");
        }
        self::assertSame(self::CASES, $tried);
    }
}
