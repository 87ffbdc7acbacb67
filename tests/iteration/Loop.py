"""Objects that can be iterated over in every way Python knows."""

from collections.abc import Iterator
from typing import Any, ClassVar


class Loop:
    """Iterates by a generator, and tells what has happened."""

    told: ClassVar[list[Any]] = []

    def __init__(self, count: int = 3, fail_at: int = -1) -> None:
        self.count = count
        self.fail_at = fail_at

    def __iter__(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                if number == self.fail_at:
                    raise LookupError(f"no {number}")
                Loop.told.append(number)
                yield number
        finally:
            Loop.told.append("finally")

    def generator(self) -> Iterator[int]:
        """The iterator itself."""
        return iter(self)

    @staticmethod
    def tell() -> list[Any]:
        """What has happened since this was last asked."""
        told, Loop.told = Loop.told, []
        return told

    @staticmethod
    def made(expression: str) -> Any:
        """The value of a Python expression, as an object."""
        return Held(eval(expression))

    @staticmethod
    def raw(expression: str) -> Any:
        """The value of a Python expression."""
        return eval(expression, {"Loop": Loop, "Steps": Steps, "Held": Held})


class Held:
    """A container of the user's own around one of Python's."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def add(self, key: int) -> None:
        """Changes the size of a dict."""
        self.value[key] = key


class Steps:
    """An iterator with a `__next__` of its own."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.calls = 0

    def __iter__(self) -> "Steps":
        return self

    def __next__(self) -> int:
        self.calls += 1
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left


class Own:
    """Has a `toArray` of its own, and a `toarray`."""

    def toArray(self, first: int, second: int = 2) -> str:  # noqa: N802
        return f"own {first} {second}"


class Lower:
    """Has a method that PHP does not tell from `toArray`."""

    def toarray(self) -> str:
        return "lower"

    def __iter__(self) -> Iterator[str]:
        return iter("ab")

    def __len__(self) -> int:
        return 2
