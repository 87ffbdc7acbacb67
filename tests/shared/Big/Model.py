"""A model that is loaded once."""

import os
import threading
from typing import Any

from tortoise_worker import Interrupted, shared


class Model:
    """Predicts."""

    LIMIT = 7

    def __init__(self, threshold: float = 0.5, *, label: str = "") -> None:
        self.threshold = threshold
        self.label = label
        self.seen: list[str] = []
        self.calls = 0

    def predict(self, values: list[float], *, factor: float = 1) -> list[bool]:
        """Whether each value is over the threshold."""
        self.calls += 1
        return [factor * value > self.threshold for value in values]

    def add(self) -> int:
        before = self.calls
        # Another thread that is let in here would count the same.
        threading.Event().wait(0.0001)
        self.calls = before + 1
        return self.calls

    def echo(self, *values: Any, **named: Any) -> Any:
        return [*values, named] if named else values[0]

    def shown(self, value: Any) -> str:
        return repr(value)

    def process(self) -> int:
        return os.getpid()

    def an_object(self) -> Any:
        return {"rows": [1, object()]}

    def fail(self) -> None:
        raise KeyError("gone")

    def fail_oddly(self) -> None:
        raise OddError("this way")

    def wait(self, note: str) -> None:
        """Waits for ever, and says in a file that it does."""
        try:
            self._wait(note)
        except Interrupted:
            self.seen.append("interrupted")
            raise

    def swallow(self, note: str) -> None:
        untold = [note]
        while True:
            try:
                self._wait(untold.pop() if untold else None)
            except BaseException:
                self.seen.append("swallowed")

    def _wait(self, note: str | None) -> None:
        if note is not None:
            with open(note, "w") as file:
                file.write("waits")
        while True:
            threading.Event().wait(0.001)

    def other(self) -> int:
        return shared("other", Model).add()

    def __len__(self) -> int:
        return 3

    def __getitem__(self, key: Any) -> Any:
        return key

    def __iter__(self) -> Any:
        return iter([1, 2.5, "x"])

    def __str__(self) -> str:
        return "a model"


class OddError(ValueError):
    pass
