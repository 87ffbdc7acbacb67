<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use DateInterval;
use DateTime;
use DateTimeImmutable;
use DateTimeInterface;
use DateTimeZone;
use PHPUnit\Framework\Assert;
use Temporal;
use Tortoise\ConversionException;
use Tortoise\PyObject;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Points and spans of time cross with their instant, offset, zone and microseconds, or not at all. */
final class MomentsTest extends TestCase
{
    private const CASES = 1000;

    private const ZONES = [
        'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC', 'Africa/Monrovia',
        '+00:00', '+05:30', '-03:30', '+14:00', '+01:02:03', '-00:00:01',
    ];

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testMomentsOfPythonComeBackTheSame(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            $moment = Temporal::moment($seed);
            self::assertInstanceOf(DateTimeImmutable::class, $moment);
            self::assertTrue(Temporal::is_moment($moment, $seed), "the moment of seed {$seed} changed to {$moment->format('c u e')}");
        }
        self::assertSame(self::CASES, $tried);
    }

    public function testMomentsOfPhpArriveAsTheyAre(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            mt_srand($seed);
            $moment = self::moment();
            $name = $moment->getTimezone()->getName();
            $zone = preg_match('/^[+-]/', $name) ? ($moment->getOffset() === 0 ? 'UTC' : '') : $name;
            $expected = $moment->format('H:i:s.u j.n.') . (int) $moment->format('Y') . " {$moment->getOffset()} {$zone}";
            self::assertSame($expected, Temporal::shown($moment), "the moment of seed {$seed}");
        }
        self::assertSame(self::CASES, $tried);
    }

    public function testSpansOfPythonComeBackTheSame(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            $span = Temporal::span($seed);
            self::assertInstanceOf(DateInterval::class, $span);
            self::assertSame(Temporal::microseconds(Temporal::span($seed)), self::microseconds($span), "the span of seed {$seed}");
            self::assertTrue(Temporal::is_span($span, $seed), "the span of seed {$seed} changed");
        }
        self::assertSame(self::CASES, $tried);
    }

    public function testSpansOfPhpArriveAsTheyAre(): void
    {
        $tried = 0;
        for ($seed = 0; $seed < self::CASES; $seed++, $tried++) {
            mt_srand($seed);
            $span = new DateInterval(sprintf('P%dDT%dH%dM%dS', mt_rand(0, 9999), mt_rand(0, 99), mt_rand(0, 99), mt_rand(0, 99)));
            $span->f = (mt_rand(0, 999_999) + 0.5) / 1e6;
            $span->invert = mt_rand(0, 1);
            self::assertSame(self::microseconds($span), Temporal::microseconds($span), "the span of seed {$seed}");
        }
        self::assertSame(self::CASES, $tried);
    }

    public function testATimeThatAClockShowsTwiceKeepsItsInstant(): void
    {
        $summer = Temporal::made('datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))');
        $winter = Temporal::made('datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)');
        self::assertSame('2024-10-27T02:30:00+02:00 Europe/Berlin', $summer->format('c e'));
        self::assertSame('2024-10-27T02:30:00+01:00 Europe/Berlin', $winter->format('c e'));
        self::assertStringContainsString('fold=1', Temporal::seen($winter));
        self::assertStringNotContainsString('fold', Temporal::seen($summer));
    }

    public function testANaiveMomentIsInTheDefaultZone(): void
    {
        $result = self::evaluate('return Temporal::made("datetime(2024, 1, 2, 3, 4, 5, 6)")->format("c u e");', ['date.timezone' => 'Asia/Tokyo']);
        self::assertSame('2024-01-02T03:04:05+09:00 000006 Asia/Tokyo', $result);
    }

    public function testEveryDateOfPhpIsOne(): void
    {
        $own = new class ('2024-01-02T03:04:05Z') extends DateTime {
            public function format(string $format): string
            {
                return 'a lie';
            }
        };
        self::assertSame('datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)', Temporal::seen($own));
        self::assertSame('datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=68400)))', Temporal::seen(new DateTime('2024-01-02 03:04:05 EST')));
    }

    /** @dataProvider refused */
    public function testWhatPythonHasNoValueForIsRefusedAtItsPlace(mixed $value, string $reason): void
    {
        $this->expectException(ConversionException::class);
        $this->expectExceptionMessage("args[0][\"rows\"][1]: {$reason}");
        Temporal::seen(['rows' => [0, $value]]);
    }

    /** @return iterable<string, array{mixed, string}> */
    public static function refused(): iterable
    {
        yield 'a month' => [new DateInterval('P1M'), 'a DateInterval with months or years is no timedelta'];
        yield 'a year' => [new DateInterval('P1Y'), 'a DateInterval with months or years is no timedelta'];
        yield 'a weekday' => [DateInterval::createFromDateString('next monday'), 'a DateInterval that was made of "next monday" is no timedelta'];
        yield 'the last day of' => [DateInterval::createFromDateString('last day of next month'), 'a DateInterval that was made of "last day'];
        yield 'a zone' => [new DateTimeZone('Europe/Berlin'), 'a DateTimeZone cannot be given to Python'];
        yield 'the year 0' => [new DateTimeImmutable('0000-01-01'), 'the year 0 is not one of Python\'s'];
        yield 'before the year 0' => [new DateTimeImmutable('-0044-03-15'), 'the year -44 is not one of Python\'s'];
        yield 'behind the year 9999' => [(new DateTimeImmutable())->setDate(12345, 1, 1), 'the year 12345 is not one of Python\'s'];
        yield 'longer than any timedelta' => [new DateInterval('P99999999999D'), 'no timedelta: '];
    }

    public function testTheDaysBetweenTwoDatesAreExact(): void
    {
        $span = (new DateTimeImmutable('2024-01-31T12:00Z'))->diff(new DateTimeImmutable('2024-03-01T13:30Z'));
        self::assertSame('datetime.timedelta(days=30, seconds=5400)', Temporal::seen($span));
        self::assertSame('datetime.timedelta(days=14)', Temporal::seen(DateInterval::createFromDateString('2 weeks')));
        self::assertSame('datetime.timedelta(days=-1, seconds=86310)', Temporal::seen(DateInterval::createFromDateString('-90 seconds')));
    }

    public function testADateThatWasNeverMadeSaysSo(): void
    {
        $unmade = new class () extends DateTime {
            public function __construct() {}
        };
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('has not been correctly initialized');
        Temporal::seen([$unmade]);
    }

    public function testWhatHasNoValueInPhpIsAReference(): void
    {
        foreach (['datetime(2024, 1, 1).date()', 'datetime(2024, 1, 1).time()', 'timezone.utc', 'ZoneInfo("UTC")', 'datetime(2024, 1, 1, tzinfo=timezone(timedelta(microseconds=1)))'] as $expression) {
            self::assertInstanceOf(PyObject::class, Temporal::made($expression), $expression);
        }
    }

    private static function moment(): DateTimeInterface
    {
        $seconds = mt_rand(0, 1) ? mt_rand(0, 2_000_000_000) : mt_rand(0, 200_000_000_000) - 60_000_000_000;
        $microseconds = mt_rand(0, 999_999);
        $class = mt_rand(0, 1) ? DateTime::class : DateTimeImmutable::class;

        return (new $class("@{$seconds}"))->setTimezone(new DateTimeZone(self::ZONES[mt_rand(0, \count(self::ZONES) - 1)]))->modify("+{$microseconds} usec");
    }

    private static function microseconds(DateInterval $span): int
    {
        Assert::assertSame([0, 0], [$span->y, $span->m]);
        $seconds = (($span->d * 24 + $span->h) * 60 + $span->i) * 60 + $span->s;

        return ($span->invert ? -1 : 1) * ($seconds * 1_000_000 + (int) $span->format('%f'));
    }
}
