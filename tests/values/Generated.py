"""Values of every kind, made from seeds, and what became of them on their way to PHP and back."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC")
LENGTHS = (0, 1, 2, 3, 15, 16, 17, 40)
FLOATS = (0.0, -0.0, 1.0, float("inf"), float("-inf"), float("nan"), 5e-324, 0.1, 1.7976931348623157e308)
TEXT = "aZ09\0 ä€🐢\n'\"\\\u202e\U0010ffff\ufeff"


class Generated:
    """Makes values, and compares them with what came back."""

    @staticmethod
    def made(seed: int) -> Any:
        """A value of any kind; the same for the same seed."""
        return _any(random.Random(seed), 3)

    @staticmethod
    def difference(value: object, seed: int) -> str:
        """What differs between the value and that of the seed: nothing, or both in short."""
        got, expected = _shown(value), _shown(_as_from_php(Generated.made(seed)))
        if got == expected:
            return ""
        at = next((at for at, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), 0)
        return f"…{got[max(at - 60, 0) : at + 60]}… instead of …{expected[max(at - 60, 0) : at + 60]}…"

    @staticmethod
    def kinds_of(seed: int) -> dict[str, int]:
        """How many values of each type stand in the value of a seed."""
        return _kinds(Generated.made(seed))

    @staticmethod
    def kinds(value: object) -> dict[str, int]:
        """How many values of each type Python sees in a value, with the keys of dicts."""
        return _kinds(value)

    @staticmethod
    def same(value: Any) -> Any:
        """The value itself."""
        return value


def _kinds(value: Any) -> dict[str, int]:
    counted: Counter[str] = Counter()
    rest = [value]
    while rest:
        part = rest.pop()
        counted[type(part).__name__] += 1
        if isinstance(part, dict):
            rest.extend(part.keys())
            rest.extend(part.values())
        elif isinstance(part, (list, tuple, set, frozenset)):
            rest.extend(part)
    return dict(sorted(counted.items()))


def _any(source: random.Random, depth: int) -> Any:
    kind = source.randrange(14 if depth else 9)
    match kind:
        case 0:
            return source.choice([None, True, False])
        case 1:
            return source.choice([-1, 1]) * source.getrandbits(source.randrange(1, 64))
        case 2:
            return source.choice([-1, 1]) * source.getrandbits(source.choice([64, 65, 127, 128, 700]))
        case 3:
            return source.choice([*FLOATS, source.random(), source.uniform(-1e300, 1e300)])
        case 4 | 5:
            return _text(source)
        case 6:
            content = source.randbytes(source.choice([0, 1, 5, 31, 32, 300]))
            return source.choice([bytes, bytearray])(content if source.randrange(2) else b"text" + content[:0])
        case 7:
            return source.choice([_moment, _span])(source)
        case 8:
            return source.choice([Decimal(source.random()), UUID(int=source.getrandbits(128)), 1j * source.random()])
        case 9:
            numbers = [lambda: source.getrandbits(63), source.random, lambda: source.choice(FLOATS)]
            make = source.choice(numbers)
            return [make() for _ in range(source.randrange(10, 60))]
        case 10:
            return {_leaf(source) for _ in range(source.choice(LENGTHS))}
        case 11:
            return tuple(_any(source, depth - 1) for _ in range(source.choice(LENGTHS)))
        case 12:
            return [_any(source, depth - 1) for _ in range(source.choice(LENGTHS))]
    make_key = source.choice([_text, _number, lambda source: source.choice([_text, _number])(source), _odd_key])
    return {make_key(source): _any(source, depth - 1) for _ in range(source.choice(LENGTHS))}


def _leaf(source: random.Random) -> Any:
    return source.choice([_text, _number, _moment, _span])(source)


def _number(source: random.Random) -> int:
    return source.choice(
        [source.randrange(-3, 3), source.choice([-1, 1]) * source.getrandbits(63), source.getrandbits(62)]
    )


def _odd_key(source: random.Random) -> Any:
    """A key that an array of PHP has not, or not beside others."""
    return source.choice([str(source.randrange(100)), source.random(), True, None, (1, "a"), b"x", 1 << 64, "text"])


def _text(source: random.Random) -> str:
    return "".join(source.choice(TEXT) for _ in range(source.choice([0, 1, 5, 31, 32, 255, 256, 2000])))


def _moment(source: random.Random) -> datetime:
    instant = datetime(1975, 1, 3) + timedelta(
        days=source.randrange(22000), seconds=source.randrange(86400), microseconds=source.randrange(10**6)
    )
    match source.randrange(4):
        case 0:
            return instant
        case 1:
            return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(source.choice(ZONES)))
        case 2:
            return instant.replace(year=source.randrange(2, 9999), day=1, tzinfo=UTC)
    return instant.replace(tzinfo=timezone(timedelta(seconds=source.randrange(-86399, 86400))))


def _span(source: random.Random) -> timedelta:
    days = source.choice([0, 1, 40, 999_999])
    return timedelta(source.randint(-days, days), source.randrange(-86400, 86400), source.randrange(10**6))


def _as_from_php(value: Any) -> Any:
    """What the value is when it comes back: what docs/objects.md says, and nothing else."""
    match value:
        case bytes() | bytearray():
            try:
                return bytes(value).decode()
            except UnicodeDecodeError:
                return bytes(value)
        case datetime() if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        case list() | tuple() | set():
            return [_as_from_php(element) for element in value]
        case dict():
            keys = [_key_in_php(key) for key in value]
            if None in keys or len(set(keys)) < len(keys):
                return value
            elements = [_as_from_php(element) for element in value.values()]
            return elements if keys == list(range(len(keys))) else dict(zip(keys, elements, strict=True))
    return value


def _key_in_php(key: object) -> int | str | None:
    """What the key is in an array of PHP, where `"1"` is `1`; None if it is none there."""
    number = key
    if type(key) is str:
        try:
            number = int(key)
        except ValueError:
            return key
        if str(number) != key:
            return key
    is_key = type(number) is int and -(2**63) <= number < 2**63
    return number if is_key else key if type(key) is str else None


def _shown(value: Any) -> str:
    """The value to the last type: what `repr` leaves out of a datetime is its instant where clocks are set back."""
    match value:
        case list():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key!r}: {_shown(element)}" for key, element in value.items()) + "}"
        case datetime():
            zone = getattr(value.tzinfo, "key", "")
            return f"{value.isoformat()} {'' if zone == 'UTC' else zone}"
    return f"{type(value).__name__} {value!r}"
