"""Functions whose annotations say what their parameters want."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NewType, Optional, Protocol, TypedDict, Union
from uuid import UUID

if TYPE_CHECKING:
    from nowhere import Nothing


class Colour(enum.Enum):
    RED = "r"
    GREEN = 2
    BLUE = "RED"


class Level(enum.IntEnum):
    LOW = 1


class Options(TypedDict, total=False):
    size: int


class Odd(Protocol):
    def odd(self) -> None: ...


@dataclass
class Point:
    x: Decimal
    y: Decimal = Decimal(0)


@dataclass(frozen=True)
class Node:
    name: str
    at: Point | None = None
    children: list[Node] = field(default_factory=list)
    on: date | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a node has a name")


Price = NewType("Price", Decimal)


class Wishing:
    """Each method shows what it got."""

    def __init__(self, start: date | None = None) -> None:
        self.start = start

    @staticmethod
    def plain(value, other: int = 0) -> str:
        return repr(value)

    @staticmethod
    def wants_bytes(value: bytes) -> str:
        return f"{type(value).__name__} {len(value)} {value[:8]!r}"

    @staticmethod
    def wants_bytes_or_text(value: bytes | str) -> str:
        return repr(value)

    @staticmethod
    def wants_tuple(value: tuple) -> str:
        return repr(value)

    @staticmethod
    def wants_pair(value: tuple[Decimal, str]) -> str:
        return repr(value)

    @staticmethod
    def wants_decimals(value: tuple[Decimal, ...]) -> str:
        return repr(value)

    @staticmethod
    def wants_set(value: set[int]) -> str:
        return repr(value)

    @staticmethod
    def wants_frozenset(value: AbstractSet[Colour]) -> str:
        return repr(value)

    @staticmethod
    def wants_dict(value: dict) -> str:
        return repr(value)

    @staticmethod
    def wants_mapping(value: Mapping[str, date]) -> str:
        return repr(value)

    @staticmethod
    def wants_options(value: Options) -> str:
        return repr(value)

    @staticmethod
    def wants_datetime(value: datetime) -> str:
        return repr(value)

    @staticmethod
    def wants_date(value: date) -> str:
        return repr(value)

    @staticmethod
    def wants_time(value: time) -> str:
        return repr(value)

    @staticmethod
    def wants_timedelta(value: timedelta) -> str:
        return repr(value)

    @staticmethod
    def wants_colour(value: Colour) -> str:
        return repr(value)

    @staticmethod
    def wants_level(value: Level) -> str:
        return repr(value)

    @staticmethod
    def wants_node(value: Node) -> str:
        return repr(value)

    @staticmethod
    def wants_decimal(value: Decimal) -> str:
        return repr(value)

    @staticmethod
    def wants_price(value: Annotated[Price, "in euros"]) -> str:
        return repr(value)

    @staticmethod
    def wants_uuid(value: UUID) -> str:
        return repr(value)

    @staticmethod
    def wants_path(value: Path) -> str:
        return repr(value)

    @staticmethod
    def wants_optional(value: Optional[Decimal] = None) -> str:  # noqa: UP045
        return repr(value)

    @staticmethod
    def wants_one_of(value: Union[date, int, list[Decimal]]) -> str:  # noqa: UP007
        return repr(value)

    @staticmethod
    def wants_odd_or_decimal(value: Odd | Decimal) -> str:
        return repr(value)

    @staticmethod
    def wants_list(value: list[Decimal]) -> str:
        return repr(value)

    @staticmethod
    def wants_days(value: dict[str, Sequence[date]], *more: date, last: Iterable[UUID] = ()) -> str:
        return repr((value, more, last))

    @staticmethod
    def wants_nothing_known(value: Nothing, other: 1 / 0, third: "]", fourth: Any) -> str:  # noqa: F722
        return repr((value, other, third, fourth))

    def shows_start(self) -> str:
        return repr(self.start)
