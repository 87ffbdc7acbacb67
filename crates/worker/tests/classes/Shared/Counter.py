"""A class whose objects are shared in the tests."""

import builtins
import enum
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from tortoise_worker import Interrupted, shared


class OddError(ValueError):
    """An exception that only this process knows."""


class Colour(enum.Enum):
    RED = "red"


class Counter:
    """Counts.

    And more.
    """

    LIMIT = 10
    made = 0

    def __init__(self, start: int = 0, *, label: str = "") -> None:
        type(self).made += 1
        self.count = start
        self.label = label
        self.seen: list[str] = []
        self.function = len
        self._hidden = 1

    def add(self, step: int = 1) -> int:
        """Adds."""
        before = self.count
        # Another thread that got in would be lost.
        time.sleep(0)
        self.count = before + step
        return self.count

    def echo(self, *arguments: Any, **named: Any) -> Any:
        return (*arguments, named) if named else arguments

    def fail(self, name: str, *arguments: Any) -> None:
        raise getattr(builtins, name)(*arguments)

    def fail_oddly(self) -> None:
        raise OddError("this way")

    def leave(self) -> None:
        raise SystemExit(3)

    def an_object(self) -> Any:
        return {"rows": [1, object()]}

    def colour(self) -> Colour:
        return Colour.RED

    def process(self) -> int:
        return os.getpid()

    def made_so_far(self) -> int:
        return type(self).made

    def wait(self, path: str) -> None:
        """Waits for ever, after it has said in a file that it does."""
        try:
            with open(path, "w") as fifo:
                fifo.write("in\n")
            while True:
                threading.Event().wait(0.001)
        except Interrupted:
            self.seen.append("interrupted")
            raise

    def hold_lock(self, path: str) -> None:
        """Holds the interpreter's lock for ever."""
        self._for_ever(path, lambda: re.match(r"(a|aa)+b", "a" * 128))

    def swallow(self, path: str) -> None:
        """Takes no notice of anything."""
        self._for_ever(path, lambda: threading.Event().wait(0.001))

    def _for_ever(self, path: str, action: Callable[[], object]) -> None:
        untold = [path]
        while True:
            try:
                while untold:
                    with open(untold.pop(), "w") as fifo:
                        fifo.write("in\n")
                action()
            except BaseException:
                self.seen.append("swallowed")

    def other(self, name: str) -> int:
        return shared(name, Counter, 100).add()

    def again(self, name: str) -> int:
        """Calls itself as others do."""
        return shared(name, Counter).add()

    def __len__(self) -> int:
        return self.count
