"""What the tests of observers call."""

from collections.abc import Callable
from typing import Any


class Seen_Thing:
    """Has a method of each kind."""

    def __init__(self, number: int = 1) -> None:
        if number < 0:
            raise ValueError("below zero")
        self.number = number
        self.later = lambda: "later"

    def twice(self, number: int) -> int:
        """A plain method."""
        return 2 * number

    @staticmethod
    def half(number: int) -> int:
        """A static method."""
        return number // 2

    @classmethod
    def made(cls) -> str:
        """A class method."""
        return cls.__name__

    def ask(self, function: Callable[[], Any]) -> Any:
        """Calls PHP."""
        return function()

    def fail(self) -> None:
        """Raises."""
        raise KeyError("no")

    def count(self, what: str) -> str:
        """A method that is named as one of PHP's interfaces."""
        return f"no {what}"

    def __len__(self) -> int:
        return 7

    def __call__(self) -> str:
        return "called"
