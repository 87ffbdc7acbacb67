"""Objects that are counted for as long as they live."""

import gc
import sys
from collections.abc import Iterator
from typing import Any, ClassVar


class Fleeting:
    """Knows how many of its kind live, and which have died."""

    living = 0
    last_words: ClassVar[list[str]] = []

    def __init__(self, name: str = "f", *args: Any, **kwargs: Any) -> None:
        self.name = name
        self.held: Any = None
        Fleeting.living += 1

    def __del__(self) -> None:
        Fleeting.living -= 1
        Fleeting.last_words.append(self.name)
        if self.name == "failing":
            raise RuntimeError("failed in its last moment")
        if self.name == "remembering":
            Fleeting("born of a dying one")

    def hold(self, value: Any) -> None:
        self.held = value

    def another(self, name: str = "another") -> "Fleeting":
        return Fleeting(name)

    def several(self, count: int) -> list["Fleeting"]:
        return [Fleeting() for _ in range(count)]

    def numbers(self, count: int) -> list[int]:
        return list(range(count))

    def range(self, count: int) -> range:
        return range(count)

    def generated(self, count: int) -> Iterator["Fleeting"]:
        if count < 0:
            raise ValueError("count")
        for _ in range(count):
            yield Fleeting()

    def echo(self, value: Any) -> Any:
        return value

    def fail(self) -> None:
        local = Fleeting("in a frame")
        raise KeyError("nothing", local)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("dynamic"):
            return lambda *args, **kwargs: name
        raise AttributeError(name)

    @staticmethod
    def alive() -> int:
        """How many live, in reference cycles not counted."""
        gc.collect()
        return Fleeting.living

    @staticmethod
    def died() -> list[str]:
        """The names of those that died since the last question."""
        words, Fleeting.last_words = Fleeting.last_words, []
        return words

    @staticmethod
    def blocks() -> int:
        """Memory blocks that Python has allocated."""
        gc.collect()
        return sys.getallocatedblocks()
