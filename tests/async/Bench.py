"""What asynchronous calls run: sums, large values, errors, objects that count themselves, and calls that wait."""

from __future__ import annotations

import threading
import time

_RELEASED = threading.Event()


class Bench:
    """A place to work at."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.title = "bench"

    def add(self, one: int, other: int = 0) -> int:
        self.seen.append(one)
        return one + other

    def order(self) -> list[object]:
        return self.seen

    def echo(self, value: object) -> object:
        return value

    def size(self, value: str | bytes) -> int:
        return len(value)

    def text(self, size: int) -> str:
        return "x" * size

    def floats(self, count: int) -> list[float]:
        return [float(number) for number in range(count)]

    def refuse(self, why: str) -> None:
        raise ValueError(why)

    def item(self, name: str) -> Item:
        return Item(name)

    def items(self, count: int) -> dict[str, list[Item]]:
        return {"items": [Item(str(number)) for number in range(count)]}

    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        return "slept"

    @staticmethod
    def twice(number: int) -> int:
        return 2 * number

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    def __call__(self, number: int, *, times: int = 1) -> int:
        return number * times

    def __getattr__(self, name: str) -> object:
        if name == "dynamic":
            return lambda number: number + 1000
        raise AttributeError(name)


class Item:
    """Counts how many of its kind are alive."""

    alive = 0

    def __init__(self, name: str) -> None:
        self.name = name
        Item.alive += 1

    def __del__(self) -> None:
        Item.alive -= 1

    @staticmethod
    def count() -> int:
        return Item.alive
