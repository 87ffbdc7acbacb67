"""What PHP does with Python under valgrind: every kind of value, error and class."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar


class Memory_Probe:
    """Has something of each kind.

    And a docblock of several lines.
    """

    SIDES = 2
    NAMES = ("a", "b", ("c", 1.5, None, True))
    shared: ClassVar[list[int]] = [1]

    def __init__(self, name: str = "probe", *rest: Any, key: Any = None, **more: Any) -> None:
        self.name = name
        self.rest = rest
        self.key = key
        self.more = more

    def echo(self, value: Any = None, default: Any = object()) -> Any:
        """Gives it back."""
        return value

    def other(self) -> "Memory_Probe":
        """One more."""
        return Memory_Probe("other", self)

    def me(self) -> "Memory_Probe":
        """The same one."""
        return self

    def values(self) -> list[Any]:
        """All kinds."""
        scalars = [None, True, 1, -(2**63), 1.5, "text", "é" * 100, b"\xff\x00"]
        return [*scalars, [[[]]], {"a": {"b": [self]}}, {1: 2, "x": 3}, (1,), {1}]

    def fail(self, depth: int = 3) -> None:
        """Raises with a chain of causes."""
        if depth == 0:
            raise KeyError("deep")
        try:
            self.fail(depth - 1)
        except Exception as error:
            raise ValueError(f"level {depth}") from error

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]:
        """Methods that nobody declared."""
        if name.startswith("dynamic"):
            return lambda *args, **kwargs: (name, args, kwargs)
        raise AttributeError(name)

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])

    def wait_for_it(self, seconds: float) -> None:
        """Answers too late."""
        time.sleep(seconds)

    def end_session(self) -> None:
        """Leaves without an answer."""
        os._exit(1)

    @property
    def computed(self) -> str:
        """A property."""
        return self.name.upper()

    @staticmethod
    def static(x: int, y: int = 2) -> int:
        """A static method."""
        return x + y

    @classmethod
    def make(cls) -> "Memory_Probe":
        """A class method."""
        return cls("made")
