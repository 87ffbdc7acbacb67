"""Objects with Python's protocols, one class for each mixture that matters to PHP."""

import datetime
import decimal
import enum
import fractions
from collections import OrderedDict, UserDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Shelf:
    """A mapping of its own make: items, length, iteration and a text. It says what it was asked."""

    def __init__(self, **items: Any) -> None:
        self.items: dict[Any, Any] = dict(items)
        self.asked: list[str] = []

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Any) -> Any:
        self.asked.append(f"get {key!r}")
        return self.items[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.items[key]

    def __contains__(self, key: Any) -> bool:
        self.asked.append(f"contains {key!r}")
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __str__(self) -> str:
        return f"a shelf of {len(self.items)}"

    def keys(self) -> Any:
        return self.items.keys()

    def count(self, value: Any, *, twice: bool = False) -> int:
        """Python's own method of the interface's name."""
        return list(self.items.values()).count(value) * (2 if twice else 1)

    def keep(self, key: Any, kind: str, *arguments: Any) -> None:
        """Keeps an object that PHP could not make by itself."""
        self.items[key] = make(kind, *arguments)

    def type_of_key(self, key: Any) -> str:
        return next(type(known).__name__ for known in self.items if known == key)

    @staticmethod
    def make(kind: str, *arguments: Any) -> Any:
        return make(kind, *arguments)

    @staticmethod
    def fail() -> None:
        raise Broken("first", "second")

    @staticmethod
    def is_same(one: Any, other: Any) -> bool:
        return one is other


class Row(list[Any]):
    """A list with a name, so that PHP has it by reference."""


class Large(int):
    """An integer with a name, so that PHP has it by reference also where it has GMP."""


class Recorder:
    """Gives back the keys that Python got."""

    def __getitem__(self, key: Any) -> str:
        return repr(key)


class Keyed(Recorder):
    """As above, of a class that may have a key such as 1:3."""

    def keys(self) -> list[str]:
        return ["1:3"]


class Plain:
    """Has none of the protocols."""


class Shown:
    def __repr__(self) -> str:
        return "shown"


class Silent:
    __str__ = None  # type: ignore[assignment]


class Uncounted(Shelf):
    """Takes a protocol back."""

    __len__ = None  # type: ignore[assignment]


class Counted(Plain):
    """A child that has what its parent has not."""

    def __len__(self) -> int:
        return 7


class Counter:
    """A method of the name, and no protocol."""

    def count(self, what: str) -> str:
        return f"counted {what}"


class CountedCounter(Counter):
    def __len__(self) -> int:
        return 3


class StaticCounter:
    def __len__(self) -> int:
        return 4

    @staticmethod
    def count(what: str) -> str:
        return f"static {what}"


class Fussy:
    """Names that PHP does not tell apart from those of its interfaces."""

    def __getitem__(self, key: Any) -> Any:
        return f"item {key}"

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])

    def getiterator(self) -> str:
        return "pythons"

    def offsetGet(self, first: Any, second: Any) -> str:  # noqa: N802
        return f"own {first} {second}"


class Broken(Exception):
    """An exception with a length and items."""

    def __len__(self) -> int:
        return len(self.args)

    def __getitem__(self, index: int) -> Any:
        return self.args[index]


@dataclass
class Point:
    x: int
    y: Any = None
    tags: list[str] = field(default_factory=list)
    _hidden: str = "hidden"


class Colour(enum.Enum):
    RED = "r"


class Level(enum.IntEnum):
    HIGH = 3


class Lookup(Mapping[Any, Any]):
    def __init__(self, *pairs: list[Any]) -> None:
        self._pairs = dict(pairs)  # type: ignore[arg-type]

    def __getitem__(self, key: Any) -> Any:
        return self._pairs[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)


class Steps(Sequence[int]):
    def __init__(self, end: int) -> None:
        self._end = end

    def __getitem__(self, index: Any) -> Any:
        return range(self._end)[index]

    def __len__(self) -> int:
        return self._end


class Day(datetime.date):
    """A date that PHP has by reference, whatever becomes of plain ones."""


class Span(datetime.timedelta):
    def __add__(self, other: Any) -> "Span":
        return Span(seconds=(datetime.timedelta.__add__(self, other)).total_seconds())

    __radd__ = __add__


class Copied:
    """Copies itself in its own way."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __copy__(self) -> Any:
        return {"itself": self, "value": [1], "other": Plain(), "new": Copied("copy")}[self.name]


_MAKERS: dict[str, Any] = {
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "row": lambda *items: Row(items),
    "deque": lambda *items: deque(items),
    "ordered": lambda *pairs: OrderedDict((key, value) for key, value in pairs),
    "userdict": lambda *pairs: UserDict((key, value) for key, value in pairs),
    "big": Large,
    "bytes": lambda: b"\xff",
    "day": Day,
    "span": lambda seconds: Span(seconds=seconds),
    "slice": slice,
    "function": lambda: len,
    "class": lambda: Row,
    "enumeration": lambda: Colour,
    "module": lambda: decimal,
    "exception": lambda: Broken("a", "b"),
    "generator": lambda: (n for n in range(3)),
    "set": lambda *items: set(items),
    "range": lambda end: range(end),
    "frozen": lambda name: Copied(name),
}


def make(kind: str, *arguments: Any) -> Any:
    """An object of a kind, or of one of the classes here."""
    maker = _MAKERS.get(kind) or globals()[kind]
    return maker(*arguments)
