"""What PHP's operators, items and loops are asked of under valgrind."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any


@functools.total_ordering
class Memory_Shelf:
    """A number with items, in a box that Python's protocols can be asked of."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.items: dict[Any, Any] = {}
        self.log: list[Any] = []

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return [key.start, key.stop, key.step]
        return self.items[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.items[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.items.values()))

    def append(self, value: Any) -> None:
        """What `$o[] = …` asks for."""
        self.items[len(self.items)] = value

    def __add__(self, other: Any) -> Memory_Shelf:
        return Memory_Shelf(self.number + _number(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Memory_Shelf:
        return Memory_Shelf(self.number - _number(other))

    def __rsub__(self, other: Any) -> Memory_Shelf:
        return Memory_Shelf(_number(other) - self.number)

    def __mul__(self, other: Any) -> Any:
        return [self.number] * _number(other)

    def __truediv__(self, other: Any) -> float:
        return self.number / _number(other)

    def __neg__(self) -> Memory_Shelf:
        return Memory_Shelf(-self.number)

    def __invert__(self) -> str:
        return "inverted" * 10

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int | Memory_Shelf) and self.number == _number(other)

    def __lt__(self, other: Any) -> bool:
        return self.number < _number(other)

    __hash__ = None  # type: ignore[assignment]

    def __int__(self) -> int:
        return self.number

    def __float__(self) -> float:
        return float(self.number)

    def __str__(self) -> str:
        return f"shelf {self.number}"

    def echo(self, value: Any) -> Any:
        """Gives it back."""
        return value

    def rows(self, count: int) -> list[dict[str, Any]]:
        """Rows that share their keys."""
        return [{"id": i, "name": f"name {i}", "price": i / 2, "owner": self} for i in range(count)]

    def made(self, count: int) -> list[Memory_Shelf]:
        """New objects."""
        return [Memory_Shelf(i) for i in range(count)]

    def large(self, kind: str, size: int) -> Any:
        """Something of so many elements."""
        match kind:
            case "text":
                return "x" * size
            case "rows":
                return self.rows(size)
            case "texts":
                return [str(i) * 10 for i in range(size)]
            case "floats":
                return [i / 2 for i in range(size)]
            case "integers":
                return list(range(size))
            case "mixed":
                return [i if i % 3 else i / 2 for i in range(size)]
            case _:
                return [["a", i, {"k": [i]}] for i in range(size)]

    def counted(self, count: int, fails: bool = False) -> Iterator[Any]:
        """A generator, which logs how it ended."""
        try:
            for i in range(count):
                yield Memory_Shelf(i) if i % 2 else {"i": i}
            if fails:
                raise ValueError("the generator fails")
        finally:
            self.log.append("closed")

    def json(self) -> dict[str, Any]:
        """The items."""
        return self.items

    def end_session(self) -> None:
        """Leaves without an answer."""
        os._exit(1)

    def __enter__(self) -> dict[str, Any]:
        self.log.append("entered")
        return {"shelf": self}

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.log.append(kind.__name__ if kind else None)
        return kind is not None and "swallow" in repr(_[0])


def _number(other: Any) -> int:
    return other.number if isinstance(other, Memory_Shelf) else int(other)
