"""Values between two Pythons: each comes out as what it went in, and what is none is refused by its place."""

import datetime
import decimal
import enum
import fractions
import http
import math
import random
import re
import uuid
import zoneinfo
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tortoise_worker import _native, shared_values
from tortoise_worker.shared_errors import ConversionError

UTC = datetime.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def _back(value: object) -> Any:
    (found,) = shared_values.decode(shared_values.encode(value, "value"))
    return found


def _is_same(found: Any, expected: Any) -> bool:
    """Equal, of the same types all the way down, and with the same signs and NaNs."""
    if type(found) is not type(expected):
        return False
    if isinstance(expected, float):
        return math.copysign(1, found) == math.copysign(1, expected) and (found == expected or found != found)
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(_is_same, found, expected))
    if isinstance(expected, dict):
        return _is_same(list(found.items()), list(expected.items()))
    return bool(found == expected)


SCALARS: list[Any] = [
    *(None, True, False, 0, 1, -1, 127, 128, -33, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, -(10**40)),
    *(0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324, 1j, complex(-0.0, math.inf)),
    *("", "x", "\0", "\N{SNOWMAN}", "\ud800", "a\udcffb", b"", b"\xff", bytearray(b"ab"), "x" * 70_000),
    *(decimal.Decimal("1.20"), decimal.Decimal("-0"), decimal.Decimal("1E+400"), fractions.Fraction(-2, 3)),
    *(b"y" * 70_000, uuid.UUID(int=7), range(2, 10, 3), slice(1, None, -2), ..., http.HTTPStatus.NOT_FOUND),
    *(re.RegexFlag.I | re.RegexFlag.M, datetime.date(1, 2, 3), datetime.timedelta(-1, 2, 3)),
    *(datetime.time(1, 2, 3, 4, fold=1), datetime.time(1, tzinfo=UTC)),
    datetime.datetime(2024, 2, 29, 12, 30, 59, 999_999),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-3, minutes=-30), "NST")),
    *(UTC, datetime.timezone(datetime.timedelta(hours=1)), BERLIN),
]  # fmt: skip


@pytest.mark.parametrize("value", SCALARS, ids=lambda value: repr(value)[:40])
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert _is_same(_back(value), value)


def test_names_of_zones_and_folds_come_back() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=1), "CET")
    assert _back(zone).tzname(None) == "CET"
    assert _back(UTC) is UTC or _back(UTC).tzname(None) == "UTC"
    assert _back(SCALARS[-4].replace(fold=1)).fold == 1
    assert _back(BERLIN) is BERLIN


@pytest.mark.parametrize(
    "value",
    [
        [],
        (),
        {},
        set(),
        frozenset(),
        [b""],
        [b"", "tuple", 1],
        [[b""], (b"",), [b"", [b""]]],
        (1, (2, [3, (4,)])),
        {"a": {"b": (1, 2)}},
        {1: "a", "1": "b", (2, 3): "c", None: "d", False: "e", 2.5: "f", b"": "g", "\ud800": "h"},
        [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}],
        {1, "a", (2,), frozenset({3})},
        {frozenset({1}): {frozenset({2})}},
    ],
    ids=repr,
)
def test_a_container_comes_back_as_it_was(value: object) -> None:
    assert _is_same(_back(value), value)


def _any_value(dice: random.Random, depth: int) -> Any:
    kind = dice.randrange(8 if depth else 3)
    if kind < 3:
        return dice.choice(SCALARS)
    size = dice.choice((0, 1, 1, 2, 3, 17))
    values = [_any_value(dice, depth - 1) for _ in range(size)]
    if kind == 3:
        return [b"", *values] if dice.random() < 0.3 else values
    if kind == 4:
        return tuple(values)
    hashable = [value for value in values if _is_hashable(value)]
    if kind == 5:
        return {
            dice.choice(("a", "b", "\ud800", "")) + str(index): value for index, value in enumerate(values)
        }
    if kind == 6:
        return dict(zip(hashable, values, strict=False))
    return frozenset(hashable) if dice.random() < 0.5 else set(hashable)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    # What holds a NaN equals only itself.
    return "nan" not in repr(value)


def test_any_value_comes_back_as_it_was() -> None:
    for seed in range(2000):
        value = _any_value(random.Random(seed), 4)
        assert _is_same(_back(value), value), (seed, value)


class Plain:
    pass


class Point(NamedTuple):
    x: int


class Text(str):
    __slots__ = ()


class Zone(datetime.tzinfo):
    pass


def _local() -> object:
    return enum.Enum("Local", "A").A  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Plain(), f"value: an object of type {__name__}.Plain, and shared objects take and give values only"),
        ([1, {"k": (Plain(),)}], f'value[1]["k"][0]: an object of type {__name__}.Plain'),
        ({1: [Plain()]}, f"value[1][0]: an object of type {__name__}.Plain"),
        ({(1,): Plain()}, f'value["?"]: an object of type {__name__}.Plain'),
        ([{"x" * 50: Plain()}], f'value[0]["{"x" * 40}…"]: an object of type {__name__}.Plain'),
        (Point(1), "Point"),
        (Text("x"), "Text"),
        (OrderedDict(), "an object of type collections.OrderedDict"),
        (Counter(), "an object of type collections.Counter"),
        (print, "an object of type builtin_function_or_method"),
        (int, "an object of type type"),
        (memoryview(b""), "an object of type memoryview"),
        (ValueError("x"), "an object of type ValueError"),
        ((number for number in ()), "an object of type generator"),
        (datetime.datetime(2024, 1, 1, tzinfo=Zone()), "value[8]: an object of type"),
        (_local(), "which cannot be imported"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_value_is_refused_with_its_place(value: object, message: str) -> None:
    with pytest.raises(ConversionError) as raised:
        shared_values.encode(value, "value")
    assert message in str(raised.value)


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = []
    for _ in range(511):
        deep = [deep]
    found = _back(deep)
    for _ in range(511):
        (found,) = found
    assert found == []
    for wrap in (lambda value: [value], lambda value: (value,), lambda value: {1: value}):
        with pytest.raises(ConversionError, match="and 496 levels below: nested more than 512 levels deep"):
            shared_values.encode(wrap(deep), "value")
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ConversionError, match="is it recursive"):
        shared_values.encode(endless, "value")


@pytest.mark.parametrize(
    "content",
    [
        b"\x92\x01",
        b"\xc1",
        b"\x81\x01\x02",
        b"\xa1\xff",
        b"\x91\xc4\x00",
        b"\x92\xc4\x00\x01",
        b"\x92\xc4\x00\xa1x",
        b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xd7\x02\x00\x00\x00\x00\x00\x00\x00\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 600 + b"\xc0",
    ],
    ids=lambda content: content[:8].hex(),
)
def test_what_is_never_written_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"malformed|tag|utf-8"):
        shared_values.decode(content)


def test_what_changes_while_it_is_written_is_refused() -> None:
    def reduce_by(action: Callable[[], object]) -> Callable[[Any], tuple[str, tuple[Any, ...]]]:
        def reduce(_value: object) -> tuple[str, tuple[Any, ...]]:
            action()
            return "tuple", ()

        return reduce

    rows: list[Any] = [(), 1, 2]
    with pytest.raises(ValueError, match="a list that changed while it was read"):
        _native.encode_shared(rows, "value", reduce_by(rows.clear))
    table: dict[str, Any] = {"a": (), "b": 1, "c": 2}
    with pytest.raises(ValueError, match="a dict that changed while it was read"):
        _native.encode_shared(table, "value", reduce_by(table.clear))


def test_several_values_stand_one_behind_the_other() -> None:
    assert shared_values.decode(b"".join(shared_values.encode(value, "x") for value in (1, "a", (2,)))) == [
        1,
        "a",
        (2,),
    ]
    assert shared_values.decode(b"") == []
