<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Things;
use Things\Colour;
use Things\Point;
use Tortoise\PyObject;
use Tortoise\Python\decimal\Decimal;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;
use function Tortoise\type;

/** What has no equal in PHP is a reference to the original: one proxy for it, and Python gets the very object back. */
final class ByReferenceTest extends TestCase
{
    private const CASES = 300;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testEveryObjectIsOneProxyAndGoesBackAsItself(): void
    {
        $names = Things::names();
        foreach ($names as $name) {
            $proxy = Things::kept($name);
            self::assertInstanceOf(PyObject::class, $proxy, $name);
            self::assertSame($proxy, Things::kept($name), "{$name} is another proxy the second time");
            self::assertTrue(Things::is_kept($proxy, $name), "{$name} came back as another object");
        }
        self::assertGreaterThan(25, \count($names));
    }

    public function testObjectsInContainersAreReferencesToo(): void
    {
        $tried = 0;
        foreach (Things::names() as $name) {
            $proxy = Things::kept($name);
            foreach (Things::within($name) as $kind => $container) {
                self::assertIsArray($container, "{$name} in a {$kind}");
                $found = [];
                array_walk_recursive($container, static function (mixed $leaf) use (&$found): void {
                    if (\is_object($leaf)) {
                        $found[] = $leaf;
                    }
                });
                self::assertSame($kind === 'nested' ? [$proxy, $proxy] : [$proxy], $found, "{$name} in a {$kind}");
                self::assertTrue(Things::is_kept_below($container, $name), "{$name} in a {$kind} came back as another object");
                $tried++;
            }
        }
        self::assertGreaterThan(100, $tried);
    }

    public function testTextsAreThoseOfPython(): void
    {
        $shown = 0;
        foreach (Things::names() as $name) {
            $proxy = Things::kept($name);
            if (!$proxy instanceof \Stringable || str_ends_with($name, 'that fails')) {
                continue;
            }
            self::assertSame(Things::text($name), (string) $proxy, $name);
            $shown++;
        }
        self::assertGreaterThan(20, $shown);
        self::assertSame('1.10', (string) Things::kept('Decimal'));
        self::assertSame('/tmp/x.tar.gz', (string) Things::kept('Path'));
        self::assertSame('12345678-1234-5678-1234-567812345678', (string) Things::kept('UUID'));
    }

    public function testDecimalsOfAnyLengthKeepEveryDigit(): void
    {
        for ($seed = 0; $seed < self::CASES; $seed++) {
            $decimal = Things::decimal($seed);
            self::assertInstanceOf(Decimal::class, $decimal);
            self::assertTrue(Things::is_decimal($decimal, $seed), "the decimal of seed {$seed} changed");
            self::assertTrue(Things::is_decimal(type(Decimal::class)((string) $decimal), $seed), "the text of seed {$seed} is another decimal");
            self::assertSame(Things::sum_of($seed, $seed + 1), (string) ($decimal + Things::decimal($seed + 1)), "seed {$seed}");
        }
        fwrite(\STDERR, "\n" . self::CASES . " decimals, their texts and their sums were the same in PHP and in Python\n");
    }

    public function testDecimalsComputeAndCompareAsInPython(): void
    {
        $price = Things::kept('Decimal');
        self::assertSame(['3.30', '2.10', '0.10', '-1.10'], array_map('strval', [$price * 3, 1 + $price, $price - 1, -$price]));
        self::assertTrue($price == type(Decimal::class)('1.1'));
        self::assertTrue($price > 1 && $price < 2);
        self::assertFalse($price == 1.1, 'the float is not the decimal, in Python neither');
        self::assertFalse($price == '1.10', 'nor is the text');
        $this->expectException(\TypeError::class);
        $price + 1.5;
    }

    public function testAMemberOfAnEnumIsThatMemberWithItsValueAndName(): void
    {
        $red = Things::kept('Enum');
        self::assertInstanceOf(Colour::class, $red);
        self::assertSame(['r', 'RED'], [$red->value, $red->name]);
        self::assertSame($red, type(Colour::class)->RED);
        self::assertSame($red, type(Colour::class)('r'));
        self::assertNotSame($red, type(Colour::class)->BLUE);
        self::assertTrue($red == Things::kept('Enum') && $red != type(Colour::class)->BLUE);
        self::assertFalse($red == 'r', 'a member is not its value, in Python neither');
        $names = [];
        foreach (type(Colour::class) as $member) {
            $names[] = $member->name;
        }
        self::assertSame(['RED', 'BLUE'], $names);
    }

    public function testNewOfAMemberIsAnotherProxyOfTheSameMember(): void
    {
        $red = Things::kept('Enum');
        $new = new Colour('r');
        self::assertNotSame($red, $new, 'new always makes an object in PHP');
        self::assertTrue($new == $red);
        self::assertTrue(Things::is_kept($new, 'Enum'));
        unset($new);
        self::assertSame('RED', $red->name, 'it does not go with the other');
        self::assertSame($red, Things::kept('Enum'));
    }

    public function testMembersThatAreNumbersOrTextsAreBoth(): void
    {
        $high = Things::kept('IntEnum');
        self::assertSame(['HIGH', 2, 3], [$high->name, $high->value, $high + 1]);
        self::assertTrue($high == 2 && $high > 1);
        self::assertSame('yes!', Things::kept('StrEnum') . '!');
        $rights = Things::kept('Flag');
        self::assertSame(3, $rights->value);
        self::assertSame($rights, type($rights::class)->READ | type($rights::class)->WRITE);
    }

    public function testANamedTupleHasItsNamesAndItsPlaces(): void
    {
        $point = Things::kept('namedtuple');
        self::assertInstanceOf(Point::class, $point);
        self::assertSame([1.5, null], [$point->x, $point->y]);
        self::assertSame([1.5, 2], [$point[0], \count($point)]);
        [$x, $y] = $point;
        self::assertSame([1.5, null], [$x, $y]);
        self::assertSame([1.5, null], iterator_to_array($point));
        self::assertSame([1.5, null], $point->toArray());
        self::assertSame('[1.5,null]', json_encode($point));
        self::assertSame(['a', [1]], [Things::kept('NamedTuple')->left, Things::kept('NamedTuple')->right]);
    }

    public function testADataclassHasItsFields(): void
    {
        $order = Things::kept('dataclass');
        self::assertSame([7, 'BLUE', '2024-02-29', ['tea']], [$order->number, $order->colour->name, (string) $order->on, $order->lines]);
        self::assertSame($order->colour, type(Colour::class)->BLUE);
        self::assertSame('{"number":7,"colour":"b","on":"2024-02-29","lines":["tea"]}', json_encode($order));
        self::assertTrue($order == type($order::class)(7, $order->colour, $order->on, ['tea']));
        $this->expectException(\Tortoise\PythonException::class);
        $this->expectExceptionMessage("cannot assign to field 'at'");
        Things::kept('frozen dataclass')->at = 5;
    }

    public function testFractionsComplexNumbersAndPathsAreWhatTheyAre(): void
    {
        self::assertSame(['4/3', '(2+4j)', '/tmp/x.tar.gz/y'], array_map('strval', [
            Things::kept('Fraction') + 1,
            Things::kept('complex') * 2,
            Things::kept('Path') / 'y',
        ]));
        self::assertSame([1, 2.0, '.gz'], [Things::kept('Fraction')->numerator, Things::kept('complex')->imag, Things::kept('Path')->suffix]);
        self::assertTrue(Things::kept('UUID') == type('Tortoise\Python\uuid\UUID')('12345678-1234-5678-1234-567812345678'));
    }

    public function testDaysAndTimesAreNotMadePointsOfTime(): void
    {
        $day = Things::kept('date');
        self::assertSame([2024, 2, 29, '2024-03-01'], [$day->year, $day->month, $day->day, (string) ($day + new \DateInterval('P1D'))]);
        self::assertSame(12, Things::kept('time')->hour);
        $own = Things::kept('datetime of a subclass');
        self::assertSame(['2024!', true], [$own->shout(), $own < new \DateTimeImmutable('2024-03-01')]);
        self::assertSame('2024-01-01 00:00:00+00:00:00.000001', (string) Things::kept('datetime with an offset of microseconds'));
    }

    public function testADictWhoseKeysPhpCannotHoldApartKeepsThem(): void
    {
        $dict = Things::kept('dict whose keys PHP cannot hold apart');
        self::assertSame(['a', 'b', 2], [$dict[1], $dict['1'], \count($dict)]);
        self::assertSame('a', Things::kept('dict with a float key')[1.5]);
        self::assertSame('a', Things::kept('dict with a key of None')[null]);
        $this->expectException(\Tortoise\ConversionException::class);
        $this->expectExceptionMessage('the keys of this dict are no keys of a PHP array');
        $dict->toArray();
    }

    public function testJsonWithTwoKeysInOneIsRefused(): void
    {
        $this->expectException(\Tortoise\Python\ValueError::class);
        $this->expectExceptionMessage('two keys of a dict are "1" in JSON');
        json_encode(Things::kept('dict whose keys PHP cannot hold apart'));
    }

    public function testAnObjectWithReferencesAndValuesHasBoth(): void
    {
        $thing = Things::kept('an object');
        ['price' => $price, 'colours' => $colours, 'tags' => $tags] = $thing->both;
        self::assertSame($thing->price, $price);
        self::assertSame([$thing->colour, Things::kept('Enum')], $colours);
        self::assertSame([7], $tags);
        self::assertSame('2024-02-29T12:30:00+00:00 000005', $thing->moment->format('c u'));
    }

    public function testWhatHasNoFormInJsonIsRefusedAndNeverEmpty(): void
    {
        $refused = 0;
        foreach (['Decimal', 'UUID', 'Path', 'Fraction', 'complex', 'Enum', 'Flag', 'date', 'time', 'an object'] as $name) {
            try {
                self::fail("{$name} became " . json_encode(Things::kept($name)));
            } catch (\Tortoise\ConversionException $error) {
                self::assertStringContainsString('has no form in JSON', $error->getMessage());
                $refused++;
            }
        }
        self::assertSame(10, $refused);
        self::assertSame('[2,"yes"]', json_encode([Things::kept('IntEnum'), Things::kept('StrEnum')]), 'these are a number and a text');
    }
}
