"""Objects of the standard library that have no equal in PHP, and what Python says of what came back."""

import enum
import random
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(enum.StrEnum):
    YES = "yes"


class Right(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Pair(NamedTuple):
    left: Any
    right: Any


Point = namedtuple("Point", "x y")


@dataclass
class Order:
    number: int
    colour: Colour = Colour.RED
    on: date | None = None
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    at: Point


class Thing:
    """One that has fields of all kinds."""

    def __init__(self) -> None:
        self.price = Decimal("9.90")
        self.colour = Colour.BLUE
        self.moment = datetime(2024, 2, 29, 12, 30, 0, 5, tzinfo=UTC)
        self.both = {"price": self.price, "colours": (self.colour, Colour.RED), "tags": frozenset([7])}


class Moment(datetime):
    """A datetime with a method."""

    def shout(self) -> str:
        return f"{self:%Y}!"


class Lying(tzinfo):
    """A zone that fails, as some do for years far away."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise ValueError("unknown")


KEPT: dict[str, Any] = {
    "Decimal": Decimal("1.10"),
    "Decimal NaN": Decimal("NaN"),
    "UUID": UUID("12345678-1234-5678-1234-567812345678"),
    "Path": Path("/tmp/x.tar.gz"),
    "PurePosixPath": PurePosixPath("a/b"),
    "Fraction": Fraction(1, 3),
    "complex": 1 + 2j,
    "Enum": Colour.RED,
    "IntEnum": Level.HIGH,
    "StrEnum": Word.YES,
    "Flag": Right.READ | Right.WRITE,
    "NamedTuple": Pair("a", [1]),
    "namedtuple": Point(1.5, None),
    "dataclass": Order(7, Colour.BLUE, date(2024, 2, 29), ["tea"]),
    "frozen dataclass": Frozen(Point(1, 2)),
    "date": date(2024, 2, 29),
    "time": time(12, 30, tzinfo=UTC),
    "timezone": UTC,
    "ZoneInfo": ZoneInfo("Europe/Berlin"),
    "datetime of a subclass": Moment(2024, 2, 29, tzinfo=UTC),
    "datetime with an offset of microseconds": datetime(2024, 1, 1, tzinfo=timezone(timedelta(microseconds=1))),
    "datetime in a zone that fails": datetime(2024, 1, 1, tzinfo=Lying()),
    "range": range(3),
    "slice": slice(1, 2),
    "Ellipsis": ...,
    "memoryview": memoryview(b"abc"),
    "dict whose keys PHP cannot hold apart": {1: "a", "1": "b"},
    "dict with a key that PHP has not": {(1, 2): "a"},
    "dict with a float key": {1.5: "a"},
    "dict with a key of None": {None: "a"},
    "dict view": {"k": 1}.keys(),
    "an object": Thing(),
}


class Things:
    """Hands out the objects that the module keeps, and says whether they are the same when they come back."""

    @staticmethod
    def names() -> list[str]:
        """What there is."""
        return list(KEPT)

    @staticmethod
    def kept(name: str) -> Any:
        """The object of that name, always the same one."""
        return KEPT[name]

    @staticmethod
    def within(name: str) -> dict[str, Any]:
        """The object inside of containers of each kind that is copied; sets only hold what has a hash."""
        value = KEPT[name]
        containers: dict[str, Callable[[], Any]] = {
            "list": lambda: [1, value],
            "tuple": lambda: (1, value),
            "dict": lambda: {"k": value},
            "nested": lambda: {"rows": [{"k": value}, {"k": value}]},
            "set": lambda: {value},
            "frozenset": lambda: [frozenset([value])],
        }
        made = {}
        for kind, make in containers.items():
            try:
                made[kind] = make()
            except (TypeError, ValueError):
                continue
        return made

    @staticmethod
    def is_kept(value: object, name: str) -> bool:
        """Whether it is the very object of that name."""
        return value is KEPT[name]

    @staticmethod
    def is_kept_below(value: Any, name: str) -> bool:
        """Whether all there is in what `within` made, inside of PHP's plain containers, is the very object."""
        flat = [value]
        found = 0
        while flat:
            item = flat.pop()
            if type(item) is list or (type(item) is dict and item is not KEPT[name]):
                flat.extend(item.values() if type(item) is dict else item)
            elif item is KEPT[name]:
                found += 1
            elif item != 1:
                return False
        return found > 0

    @staticmethod
    def text(name: str) -> str:
        """What `str()` says of the object."""
        return str(KEPT[name])

    @staticmethod
    def decimal(seed: int) -> Decimal:
        """A decimal of up to forty digits."""
        source = random.Random(seed)
        return Decimal(
            (
                source.randrange(2),
                [source.randrange(10) for _ in range(source.randrange(1, 41))],
                source.randrange(-40, 40),
            )
        )

    @staticmethod
    def is_decimal(value: object, seed: int) -> bool:
        """Whether it is the decimal of that seed, to the last zero behind the point."""
        expected = Things.decimal(seed)
        return type(value) is Decimal and value.as_tuple() == expected.as_tuple()

    @staticmethod
    def sum_of(first: int, second: int) -> str:
        """The sum of the decimals of two seeds, as text."""
        return str(Things.decimal(first) + Things.decimal(second))
