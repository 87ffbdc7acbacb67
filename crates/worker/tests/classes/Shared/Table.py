"""Has Python's protocols."""

from collections.abc import Iterator
from typing import Any


class Table:
    def __init__(self) -> None:
        self.rows = {"a": 1, "b": (2, 3)}

    def __getitem__(self, key: Any) -> Any:
        return self.rows[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.rows[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.rows[key]

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __call__(self, factor: int) -> int:
        return 2 * factor

    def __str__(self) -> str:
        return "a table"
