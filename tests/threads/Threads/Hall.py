"""What sessions of one process have in common, and what not."""

import concurrent.futures
import os
import time
import typing

import php

POOL = concurrent.futures.ThreadPoolExecutor(2)


class Threads_Hall:
    """An object whose class, and whose module, other sessions have too."""

    counted = 0
    kept: typing.ClassVar[list[typing.Any]] = []

    def process(self) -> int:
        """The process that the session runs in."""
        return os.getpid()

    def count(self) -> int:
        """One more, of all sessions."""
        Threads_Hall.counted += 1
        return Threads_Hall.counted

    def echo(self, value: object) -> object:
        """The value."""
        return value

    def through(self, callback: typing.Callable[[object], object], value: object) -> object:
        """What PHP makes of a value."""
        return callback(value)

    def who(self) -> object:
        """What PHP is called, by a function of its own."""
        return php.function("who")()

    def who_by_pool(self) -> list[object]:
        """The same, asked by threads that all sessions have in common."""
        return [POOL.submit(self.who).result() for _ in range(4)]

    async def who_async(self) -> object:
        """The same, by a coroutine."""
        import asyncio

        return await asyncio.to_thread(self.who)

    def keep(self, callback: typing.Callable[[], object]) -> None:
        """Keeps something of PHP where all sessions find it."""
        self.kept.append(callback)

    def call_kept(self) -> object:
        """Calls what somebody has kept."""
        return self.kept[-1]()

    def fail(self) -> None:
        """Raises."""
        raise LookupError("of this session")

    def leave(self) -> None:
        """What ends a script."""
        raise SystemExit(3)

    def hang(self, seconds: float) -> None:
        """Sits in C, where no exception gets in."""
        time.sleep(seconds)

    def crash(self) -> None:
        """Ends the process."""
        os._exit(7)
