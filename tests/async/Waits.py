"""Coroutines that wait for each other, for time, for PHP, or for ever."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

_depth: contextvars.ContextVar[int] = contextvars.ContextVar("_depth", default=0)


class Waits:
    """A place where coroutines wait."""

    ended: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.seen: list[Any] = []
        self.background: list[asyncio.Task[Any]] = []

    async def sleep(self, seconds: float, value: object = None) -> object:
        await asyncio.sleep(seconds)
        return value

    async def give(self, value: object) -> object:
        await asyncio.sleep(0)
        return value

    async def wait(self, name: str, value: object = None) -> object:
        try:
            await self.gates.setdefault(name, asyncio.Event()).wait()
        finally:
            self.seen.append(name)
            Waits.ended.append(name)
        return value

    async def open(self, name: str) -> None:
        self.gates.setdefault(name, asyncio.Event()).set()

    async def refuse(self, why: str) -> None:
        await asyncio.sleep(0)
        raise ValueError(why)

    async def stubborn(self, name: str) -> str:
        try:
            await self.wait(name)
        except asyncio.CancelledError:
            return "not cancelled"
        return "waited"

    async def call(self, callback: Callable[..., Any], *arguments: object) -> object:
        return callback(*arguments)

    async def call_in_thread(self, callback: Callable[..., Any], *arguments: object) -> object:
        return await asyncio.to_thread(callback, *arguments)

    async def text(self, size: int, name: str | None = None) -> str:
        if name is not None:
            await self.wait(name)
        return "x" * size

    async def item(self, name: str) -> Item:
        await asyncio.sleep(0)
        return Item(name)

    async def begin(self, name: str) -> None:
        self.background.append(asyncio.create_task(self.wait(name, name)))

    async def join(self) -> list[object]:
        return [await task for task in self.background]

    async def deeper(self) -> int:
        _depth.set(_depth.get() + 1)
        await asyncio.sleep(0)
        return _depth.get()

    async def numbers(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(0)
            self.seen.append(number)
            yield number

    async def touch(self, path: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            Path(path).write_text("finally", encoding="utf-8")

    def plain(self, value: object) -> object:
        self.seen.append(value)
        return value

    def own_loop(self, value: object) -> object:
        return asyncio.run(self.give(value))

    def read(self, path: str) -> str:
        """Blocks until somebody writes to the pipe."""
        return Path(path).read_text(encoding="utf-8")

    def awaitable(self) -> Awaitable[object]:
        """No `async def`, but it gives a coroutine all the same."""
        return self.give("given")

    async def __call__(self, value: object) -> object:
        return await self.give(value)

    @classmethod
    async def of_class(cls) -> str:
        await asyncio.sleep(0)
        return cls.__name__

    async def __aenter__(self) -> str:
        await asyncio.sleep(0)
        self.seen.append("entered")
        return "inside"

    async def __aexit__(self, kind: object, error: object, trace: object) -> bool:
        await asyncio.sleep(0)
        self.seen.append("left")
        return error is not None


class Item:
    """Something with a name."""

    def __init__(self, name: str) -> None:
        self.name = name
