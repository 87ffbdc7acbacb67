"""What a parameter is given of PHP's values, by its annotation, and what is said of those that do not fit."""

from typing import Any

import pytest
import wire
from peers import Client, FailedError, lines

SOURCE = lines(
    "from __future__ import annotations",
    "import collections, enum, typing",
    "from collections.abc import *",
    "from dataclasses import dataclass, field, InitVar",
    "from datetime import *",
    "from decimal import Decimal",
    "from pathlib import Path, PurePath, PurePosixPath",
    "from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union",
    "from uuid import UUID",
    "class Colour(enum.Enum): RED = 'r'; GREEN = 2; BLUE = 'RED'",
    "class Level(enum.IntEnum): LOW = 1; HIGH = 2",
    "class Right(enum.Flag): READ = 1; WRITE = 2",
    "class Strict(enum.Enum):",
    "    ONE = 1",
    "    @classmethod",
    "    def _missing_(cls, value): raise LookupError('no such member')",
    "@dataclass",
    "class Point:",
    "    x: Decimal",
    "    y: Decimal = Decimal(0)",
    "@dataclass(kw_only=True)",
    "class Node:",
    "    name: str",
    "    at: Point | None = None",
    "    children: list[Node] = field(default_factory=list)",
    "    count: int = field(default=0, init=False)",
    "@dataclass",
    "class Refusing:",
    "    size: int",
    "    def __post_init__(self): raise ValueError('too small')",
    "if typing.TYPE_CHECKING: from nowhere import Nothing",
    "@dataclass",
    "class Base:",
    "    on: date",
    "    other: 'Nothing' = None",
    "@dataclass",
    "class Half(Base):",
    "    third: 'list[Base]' = ()",
    "class Options(TypedDict, total=False): size: int",
    "Price = NewType('Price', Decimal)",
    "Pair = collections.namedtuple('Pair', 'a b')",
)
# Where the annotation is text, and where it is evaluated when the function is made.
AT_ONCE = SOURCE.replace("from __future__ import annotations\n", "").replace("list[Node]", "'list[Node]'")


def in_module(client: Client, probe: wire.Object, source: str, name: str) -> Any:
    """What has that name in a new module of that source."""
    client.call(
        probe,
        "execute",
        lines(
            "import types",
            "module = sys.modules['module'] = types.ModuleType('module')",
            f"exec({source!r}, vars(module))",
            f"self.value = module.{name}",
        ),
    )
    return client.get(probe, "value")


def wanting(client: Client, probe: wire.Object, annotation: str, source: str = SOURCE) -> wire.Object:
    """A function whose only parameter has that annotation, and that shows what it gets."""
    function = in_module(
        client, probe, f"{source}def wanting(value: {annotation}): return repr(value)\n", "wanting"
    )
    assert isinstance(function, wire.Object)
    return function


MOMENT = wire.Moment((2024, 2, 29, 12, 30, 0, 5), 0, "UTC")
UTC = "tzinfo=datetime.timezone.utc"
UUID = "12345678-1234-5678-1234-567812345678"
DAY = "datetime.date(2024, 2, 29)"

FITTING: list[tuple[str, Any, str]] = [
    ("bytes", "ä", "b'\\xc3\\xa4'"),
    ("bytes", b"\xff", "b'\\xff'"),
    ("bytes", wire.Segment(wire.TEXT, b"abc"), "b'abc'"),
    ("list[bytes]", ["a", b"\xff", wire.Segment(wire.TEXT, b"abc")], "[b'a', b'\\xff', b'abc']"),
    ("tuple", [1, [2]], "(1, [2])"),
    ("tuple", [], "()"),
    ("tuple", wire.Vector("q", range(16)), repr(tuple(range(16)))),
    ("tuple", wire.Segment(wire.INTEGERS, wire.numbers("q", range(16))), repr(tuple(range(16)))),
    ("tuple[()]", [1], "(1,)"),
    ("tuple[Decimal, str]", ["1.50", "a"], "(Decimal('1.50'), 'a')"),
    ("tuple[Decimal, ...]", [1, "2.0"], "(Decimal('1'), Decimal('2.0'))"),
    ("tuple[int, ...]", [], "()"),
    ("tuple[tuple[date, ...], ...]", [["2024-02-29"], []], f"(({DAY},), ())"),
    ("typing.Tuple[Decimal]", ["1"], "(Decimal('1'),)"),
    ("set", [3, 3], "{3}"),
    ("set[Level]", [1], "{<Level.LOW: 1>}"),
    ("frozenset[str]", ["a"], "frozenset({'a'})"),
    ("frozenset[tuple[int, int]]", [[1, 2]], "frozenset({(1, 2)})"),
    ("Set[str]", ["a"], "frozenset({'a'})"),
    ("MutableSet[str]", ["a"], "{'a'}"),
    ("dict", [], "{}"),
    ("dict", ["a"], "{0: 'a'}"),
    ("dict", {"k": 1, 5: 2}, "{'k': 1, 5: 2}"),
    ("dict[str, date]", {"k": "2024-02-29"}, f"{{'k': {DAY}}}"),
    ("dict[Decimal, int]", {"1.5": 1}, "{Decimal('1.5'): 1}"),
    ("dict[int, Decimal]", ["1"], "{0: Decimal('1')}"),
    ("Mapping[str, tuple]", {"k": []}, "{'k': ()}"),
    ("MutableMapping", [], "{}"),
    ("typing.Dict[str, UUID]", {"k": UUID}, f"{{'k': UUID('{UUID}')}}"),
    ("Options", [], "{}"),
    ("list[Decimal]", ["5", 1, None], "[Decimal('5'), Decimal('1'), None]"),
    ("Sequence[Decimal]", ["5"], "[Decimal('5')]"),
    ("MutableSequence[Decimal]", ["5"], "[Decimal('5')]"),
    ("Iterable[Decimal]", ["5"], "[Decimal('5')]"),
    ("Collection[Decimal]", ["5"], "[Decimal('5')]"),
    ("datetime", MOMENT, f"datetime.datetime(2024, 2, 29, 12, 30, 0, 5, {UTC})"),
    ("datetime", "2024-02-29T12:30:00.000005Z", f"datetime.datetime(2024, 2, 29, 12, 30, 0, 5, {UTC})"),
    ("datetime", "2024-02-29", "datetime.datetime(2024, 2, 29, 0, 0)"),
    ("date", MOMENT, DAY),
    ("date", "2024-02-29", DAY),
    ("time", MOMENT, f"datetime.time(12, 30, 0, 5, {UTC})"),
    ("time", "12:30", "datetime.time(12, 30)"),
    ("timedelta", wire.Duration(-1, 5), "datetime.timedelta(days=-1, seconds=86399, microseconds=5)"),
    ("timedelta", 90, "datetime.timedelta(seconds=90)"),
    ("timedelta", 0.25, "datetime.timedelta(microseconds=250000)"),
    ("Decimal", 0.1, "Decimal('0.1')"),
    ("Decimal", 2**63 - 1, "Decimal('9223372036854775807')"),
    ("Decimal", wire.BigInteger(10**40), f"Decimal('{10**40}')"),
    ("Decimal", "1e-30", "Decimal('1E-30')"),
    ("Decimal", "NaN", "Decimal('NaN')"),
    ("UUID", UUID, f"UUID('{UUID}')"),
    ("Path", "a//b", "PosixPath('a/b')"),
    ("PurePath", "/x", "PurePosixPath('/x')"),
    ("PurePosixPath", "", "PurePosixPath('.')"),
    ("Colour", "r", "<Colour.RED: 'r'>"),
    ("Colour", "RED", "<Colour.BLUE: 'RED'>"),
    ("Colour", "GREEN", "<Colour.GREEN: 2>"),
    ("Level", 1, "<Level.LOW: 1>"),
    ("Level", "HIGH", "<Level.HIGH: 2>"),
    ("Right", 3, "<Right.READ|WRITE: 3>"),
    ("Point", {"x": "1.5"}, "Point(x=Decimal('1.5'), y=Decimal('0'))"),
    (
        "Node",
        {"children": [{"name": "b", "at": {"x": 1}}], "name": "a"},
        "Node(name='a', at=None, children=[Node(name='b', at=Point(x=Decimal('1'), y=Decimal('0')), "
        "children=[], count=0)], count=0)",
    ),
    # What can be evaluated is looked at, whatever stands beside it.
    (
        "Half",
        {"on": "2024-02-29", "other": "5", "third": [{"on": "2024-02-29"}]},
        f"Half(on={DAY}, other='5', third=[Base(on={DAY}, other=None)])",
    ),
    ("Price", "9.90", "Decimal('9.90')"),
    ("Annotated[Price, 'euros']", "9.90", "Decimal('9.90')"),
    ("Optional[Decimal]", "1", "Decimal('1')"),
    ("Optional[Decimal]", None, "None"),
    ("Decimal | None", "1", "Decimal('1')"),
    ("Optional[list[date]]", ["2024-02-29"], f"[{DAY}]"),
    ("Annotated[date, 1] | None", "2024-02-29", DAY),
    ("bytes | None", "a", "b'a'"),
    ("bytes | str", "a", "'a'"),
    ("str | bytes", b"\xff", "b'\\xff'"),
    ("Union[date, int, list[Decimal]]", "2024-02-29", DAY),
    ("Union[date, int, list[Decimal]]", 5, "5"),
    ("Union[date, int, list[Decimal]]", ["5"], "[Decimal('5')]"),
    ("Union[date, int, list[Decimal]]", None, "None"),
    ("Point | list[Point]", {"x": 1}, "Point(x=Decimal('1'), y=Decimal('0'))"),
    ("Point | list[Point]", [{"x": 1}], "[Point(x=Decimal('1'), y=Decimal('0'))]"),
    ("str | date", "2024-02-29", "'2024-02-29'"),
    ("date | str", "x", "'x'"),
    ("float | timedelta", 5, "5"),
    ("int | timedelta", 5, "5"),
    ("int | timedelta", 0.5, "datetime.timedelta(microseconds=500000)"),
    ("Literal['today'] | date", "today", "'today'"),
    ("Literal['today'] | date", "2024-02-29", DAY),
    ("int | str", "5", "'5'"),
    ("Any", ["5"], "['5']"),
    ("list", ["5"], "['5']"),
    ("list[int]", {"k": 5}, "{'k': 5}"),
    ("Pair", [1, 2], "[1, 2]"),
    ("Callable[[int], date]", "x", "<PHP function x>"),
    ("type[Decimal]", "x", "'x'"),
    ("Literal['a']", "b", "'b'"),
    ("'not a name'", "x", "'x'"),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), FITTING, ids=lambda value: repr(value)[:40])
def test_a_parameter_gets_what_it_wants(
    client: Client, probe: wire.Object, annotation: str, value: Any, expected: str
) -> None:
    for source in (SOURCE, AT_ONCE):
        function = wanting(client, probe, annotation, source)
        assert client.call(function, "", value) == expected
        assert client.call(function, "", value=value) == expected


UNFIT: list[tuple[str, Any, str]] = [
    ("tuple", 5, ": expected tuple, got int 5"),
    ("tuple", {"a": 1}, ": expected tuple, got dict {'a': 1}"),
    ("tuple[Decimal, str]", ["1"], ": expected tuple[Decimal, str], got list ['1']: 1 elements instead of 2"),
    ("tuple[Decimal, ...]", [1, "x"], "[1]: expected Decimal, got str 'x'"),
    (
        "tuple[int, list[date]]",
        [1, ["2024-01-01", 5]],
        "[1][1]: expected date, or a string of one, got int 5",
    ),
    ("set", "x", ": expected set, got str 'x'"),
    ("set[int]", [[1]], ": expected set[int], got list [[1]]: unhashable type: 'list'"),
    ("set[Level]", [1, 7], "[1]: expected a value or name of Level (LOW, HIGH), got int 7"),
    ("dict", "x", ": expected dict, got str 'x'"),
    ("dict[str, date]", {"k": {}}, '["k"]: expected date, or a string of one, got dict {}'),
    ("dict[int, UUID]", {7: "x"}, "[7]: expected UUID, or a string of one, got str 'x': badly formed"),
    ("dict[Decimal, int]", {"x": 1}, "[\"x\"]: expected Decimal, got str 'x'"),
    (
        "dict[Decimal, int]",
        {"1.0": 1, 1: 2},
        ": expected dict[Decimal, int], got dict {'1.0': 1, 1: 2}: two of",
    ),
    ("Options", 5, ": expected Options, got int 5"),
    ("list[Decimal]", {"k": 1}, ": expected list[Decimal], got dict {'k': 1}"),
    ("list[list[Decimal]]", [[], ["1", True]], "[1][1]: expected Decimal, got bool True"),
    ("list[bytes]", ["a", 1], "[1]: expected bytes, got int 1"),
    ("datetime", 5, ": expected datetime, or a string of one, got int 5"),
    ("datetime", "x", ": expected datetime, or a string of one, got str 'x': Invalid isoformat string"),
    ("date", "2023-02-29", ": expected date, or a string of one, got str '2023-02-29': day is out of range"),
    ("time", "25:00", ": expected time, or a string of one, got str '25:00': hour must be in"),
    ("time", wire.Duration(5, 0), ": expected time, or a string of one, got timedelta datetime.timedelta("),
    ("timedelta", "5", ": expected timedelta, or a number of seconds, got str '5'"),
    ("timedelta", True, ": expected timedelta, or a number of seconds, got bool True"),
    (
        "timedelta",
        float("nan"),
        ": expected timedelta, or a number of seconds, got float nan: cannot convert",
    ),
    ("timedelta", 1e300, ": expected timedelta, or a number of seconds, got float 1e+300"),
    ("Decimal", True, ": expected Decimal, got bool True"),
    ("Decimal", b"\xff", ": expected Decimal, got bytes b'\\xff'"),
    ("Decimal", "x" * 100, ": expected Decimal, got str '" + "x" * 59 + "…"),
    ("UUID", "x", ": expected UUID, or a string of one, got str 'x': badly formed"),
    ("Path", b"\xff", ": expected Path, or a string of one, got bytes b'\\xff'"),
    ("Colour", "x", ": expected a value or name of Colour (RED, GREEN, BLUE), got str 'x'"),
    ("Colour", ["r"], ": expected a value or name of Colour (RED, GREEN, BLUE), got list ['r']"),
    ("Right", 64, ": expected a value or name of Right (READ, WRITE), got int 64"),
    ("Point", "x", ": expected a map of the fields of Point, got str 'x'"),
    ("Point", [], ": expected all fields of Point, got dict {}: x missing"),
    ("Point", {"x": 1, "z": 2}, ": expected a field of Point, got str 'z'"),
    ("Node", {"name": "a", "count": 1}, ": expected a field of Node, got str 'count'"),
    ("Node", {"name": "a", "children": [{}, {"name": "b"}]}, '["children"][0]: expected all fields of Node'),
    ("Node", {"name": "a", "at": {"x": 1, "y": "?"}}, '["at"]["y"]: expected Decimal, got str'),
    ("Optional[Decimal]", "x", ": expected Decimal, got str 'x'"),
    ("Union[date, int]", 1.5, ": expected Union[datetime.date, int], got float 1.5"),
    ("date | int", 1.5, ": expected datetime.date | int, got float 1.5"),
    ("Literal['today'] | date", "soon", ": expected Union[Literal['today'], datetime.date], got str 'soon'"),
]


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    UNFIT,
    ids=lambda value: repr(value)[:40],
)
def test_what_does_not_fit_is_named_with_its_place(
    client: Client, probe: wire.Object, annotation: str, value: Any, message: str
) -> None:
    function = wanting(client, probe, annotation)
    # What stands behind it in the request is passed over.
    segment = wire.Segment(wire.BINARY, b"x" * 100_000)
    for args, kwargs, place in (
        ([value, segment], {}, "args[0]"),
        ([], {"value": value, "more": segment}, 'kwargs["value"]'),
    ):
        with pytest.raises(FailedError) as caught:
            client.call(function, "", *args, **kwargs)
        assert (caught.value.category, caught.value.ran) == ("conversion", False)
        assert caught.value.message.replace("decimal.", "").startswith(place + message)
    assert client.call(probe, "show") == "((), {})"


@pytest.mark.parametrize(
    "annotation",
    [
        "tuple",
        "set",
        "dict",
        "datetime",
        "timedelta",
        "Decimal",
        "Colour",
        "Point",
        "Path",
        "UUID",
        "list[date]",
        "date | int",
    ],
)
def test_none_and_objects_are_given_as_they_are(client: Client, probe: wire.Object, annotation: str) -> None:
    function = wanting(client, probe, annotation)
    assert client.call(function, "", None) == "None"
    given = client.call(probe, "evaluate", "[range(3)]")[0]
    assert client.call(function, "", given) == "range(0, 3)"


def test_what_the_users_code_raises_is_its_own(client: Client, probe: wire.Object) -> None:
    for annotation, value, raised in (
        ("Refusing", {"size": 1}, "too small"),
        ("Strict", 5, "no such member"),
    ):
        function = wanting(client, probe, annotation)
        with pytest.raises(FailedError, match=raised) as caught:
            client.call(function, "", value)
        assert caught.value.category == "python"
    assert client.call(probe, "show") == "((), {})"


def test_a_value_as_deep_as_the_wire_takes_is_no_crash(client: Client, probe: wire.Object) -> None:
    function = wanting(client, probe, "Node")
    deep = wire.Raw(b"\x82\xa4name\xa1n\xa8children\x91" * 250 + b"\x81\xa4name\xa3end")
    with pytest.raises(FailedError, match="recursion") as caught:
        client.call(function, "", deep)
    assert caught.value.category == "python"
    assert client.call(function, "", {"name": "n"}).startswith("Node(")


def test_a_function_made_anew_asks_only_for_what_the_native_part_makes(
    client: Client, probe: wire.Object
) -> None:
    # Two functions share their code, and each has another annotation.
    text = SOURCE + lines(
        "def make(kind):",
        "    def made(value: kind, raw: bytes): return repr((value, raw))",
        "    return made",
        "made = [make(Decimal), make(date)]",
    )
    for function in in_module(client, probe, text, "made"):
        assert client.call(function, "", "2024-02-29", "a") == "('2024-02-29', b'a')"


def test_every_kind_of_parameter_is_looked_at(client: Client, probe: wire.Object) -> None:
    text = SOURCE + lines(
        "class Wanting:",
        "    def __init__(self, start: date): self.start = start",
        "    def method(self, first: tuple, /, second: date, *rest: Decimal, named: set, **others: date):",
        "        return repr((first, second, rest, named, others))",
        "    @classmethod",
        "    def of_class(cls, value: tuple): return repr(value)",
        "    @staticmethod",
        "    def of_none(value: tuple): return repr(value)",
    )
    cls = in_module(client, probe, text, "Wanting")
    made = client.call(cls, "", "2024-02-29")
    assert client.call(client.get(made, "start"), "isoformat") == "2024-02-29"
    assert client.call(made, "of_class", [1]) == client.call(made, "of_none", [1]) == "(1,)"
    shown = client.call(made, "method", [1], "2024-02-29", "1", 2, named=[3], first=[4], other="2024-02-29")
    assert (
        shown
        == f"((1,), {DAY}, (Decimal('1'), Decimal('2')), {{3}}, {{'first': [4], 'other': '2024-02-29'}})"
    )
    with pytest.raises(FailedError, match=r"^args\[3\]: expected Decimal"):
        client.call(made, "method", [1], "2024-02-29", "1", "x", named=[])
    with pytest.raises(FailedError, match=r'^kwargs\["named"\]: expected set'):
        client.call(made, "method", [1], "2024-02-29", named=5)
