"""Dates, spans of time and big numbers as Python sees and makes them, from seeds."""

import random
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

ZONES = (
    *("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "UTC"),
    *("Africa/Monrovia", "America/St_Johns", "Europe/Dublin", "Pacific/Chatham", "Asia/Tehran"),
)


class Temporal:
    """Makes values from seeds, and says what the values of PHP have become."""

    @staticmethod
    def moment(seed: int) -> datetime:
        """An aware datetime."""
        source = random.Random(seed)
        instant = datetime(1, 1, 3, tzinfo=UTC) + timedelta(
            days=source.randrange(3652050), seconds=source.randrange(86400), microseconds=source.randrange(10**6)
        )
        if source.randrange(2):
            # Where clocks change, in years for which all know the rules.
            instant = instant.replace(year=source.randrange(1975, 2036), day=min(instant.day, 28))
            return instant.astimezone(ZoneInfo(source.choice(ZONES)))
        return instant.astimezone(timezone(timedelta(seconds=source.randrange(-86399, 86400))))

    @staticmethod
    def shown(moment: datetime) -> str:
        """The clock with microseconds and offset, and the zone."""
        offset = moment.utcoffset()
        seconds = None if offset is None else int(offset.total_seconds())
        return f"{moment:%H:%M:%S.%f} {moment.day}.{moment.month}.{moment.year} {seconds} {Temporal.zone(moment)}"

    @staticmethod
    def zone(moment: datetime) -> str:
        """The zone's name, if it has one."""
        return getattr(moment.tzinfo, "key", "UTC" if moment.tzinfo is UTC else "")

    @staticmethod
    def is_moment(moment: object, seed: int) -> bool:
        """Whether it is the datetime of that seed: instant, offset, zone and type."""
        expected = Temporal.moment(seed)
        return (
            type(moment) is datetime
            and moment == expected
            and moment.utcoffset() == expected.utcoffset()
            and (Temporal.zone(expected) in ("", Temporal.zone(moment)))
        )

    @staticmethod
    def span(seed: int) -> timedelta:
        """A timedelta of any size and sign."""
        source = random.Random(seed)
        days = source.choice([0, 1, 40, 999_999])
        seconds = source.choice([-1, 1]) * source.randrange(86400)
        return timedelta(days=source.randint(-days, days), seconds=seconds, microseconds=source.randrange(10**6))

    @staticmethod
    def microseconds(span: timedelta) -> int:
        """How long a span is."""
        return span // timedelta(microseconds=1)

    @staticmethod
    def is_span(span: object, seed: int) -> bool:
        """Whether it is the timedelta of that seed."""
        return type(span) is timedelta and span == Temporal.span(seed)

    @staticmethod
    def integer(seed: int) -> int:
        """An integer of more than 64 bits."""
        source = random.Random(seed)
        return source.choice([-1, 1]) * (source.getrandbits(source.randrange(1, 3000)) + 2**64)

    @staticmethod
    def hexadecimal(number: int) -> str:
        """The digits of an int, and of nothing else."""
        assert type(number) is int
        return f"{number:x}"

    @staticmethod
    def is_integer(number: object, seed: int) -> bool:
        """Whether it is the integer of that seed."""
        return type(number) is int and number == Temporal.integer(seed)

    @staticmethod
    def made(expression: str) -> Any:
        """The value of an expression in which the names of `datetime` are known."""
        return eval(
            expression,
            {"datetime": datetime, "timedelta": timedelta, "timezone": timezone, "ZoneInfo": ZoneInfo, "sys": sys},
        )

    @staticmethod
    def seen(value: object) -> str:
        """How Python writes the value."""
        return repr(value)
