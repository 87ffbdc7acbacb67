"""Coroutines that tests let go on one by one."""

import asyncio
import contextvars
import typing

_number: contextvars.ContextVar[int] = contextvars.ContextVar("_number", default=0)


class Coroutine:
    """Its coroutines wait for gates, which tests open."""

    def __init__(self, value: object = None) -> None:
        self.value: typing.Any = value
        self.gates: dict[str, asyncio.Event] = {}
        self.log: list[object] = []
        self.tasks: list[asyncio.Task[typing.Any]] = []

    def _gate(self, name: str) -> asyncio.Event:
        return self.gates.setdefault(name, asyncio.Event())

    async def echo(self, value: object) -> object:
        """Gives its argument, after others had their turn."""
        await asyncio.sleep(0)
        return value

    async def open(self, name: str) -> None:
        """Lets a coroutine go on."""
        self._gate(name).set()

    async def wait(self, name: str, value: object = None) -> object:
        """Gives the value when the gate is open."""
        try:
            await self._gate(name).wait()
        except asyncio.CancelledError:
            self.log.append(f"{name} cancelled")
            raise
        finally:
            self.log.append(name)
        return value

    async def evaluate(self, expression: str) -> object:
        """The value of an expression, on the loop."""
        return eval(expression, globals(), {"self": self})

    async def execute(self, source: str) -> object:
        """Runs the body of a coroutine function."""
        space: dict[str, typing.Any] = {}
        lines = "".join(f"\n    {line}" for line in source.splitlines())
        exec(f"async def run(self):{lines}", globals(), space)
        return await space["run"](self)

    async def call(self, *arguments: object) -> object:
        """Calls PHP, on the loop."""
        return self.value(*arguments)

    async def call_in_thread(self, *arguments: object) -> object:
        """Calls PHP from another thread, so that the loop goes on."""
        return await asyncio.to_thread(self.value, *arguments)

    async def count(self) -> int:
        """A context variable, one more than before."""
        _number.set(_number.get() + 1)
        await asyncio.sleep(0)
        return _number.get()

    async def begin(self, name: str) -> None:
        """Begins a task that outlives this coroutine."""
        self.tasks.append(asyncio.create_task(self.wait(name, name)))

    async def join(self) -> list[object]:
        """What such tasks gave."""
        return [await task for task in self.tasks]

    def plain(self, value: object) -> object:
        """No coroutine."""
        self.log.append(value)
        return value

    def own_loop(self, value: object) -> object:
        """Runs a coroutine on a loop of its own."""
        return asyncio.run(self.echo(value))

    def read(self, path: str) -> str:
        """Blocks until somebody writes to the pipe."""
        with open(path, encoding="utf-8") as pipe:
            return pipe.read()

    async def numbers(self, count: int) -> typing.AsyncIterator[int]:
        """An asynchronous generator."""
        for number in range(count):
            await asyncio.sleep(0)
            self.log.append(number)
            yield number

    async def __aenter__(self) -> str:
        await asyncio.sleep(0)
        self.log.append("entered")
        return "inside"

    async def __aexit__(self, kind: object, error: object, trace: object) -> bool:
        await asyncio.sleep(0)
        self.log.append(f"left with {error!r}")
        return error is not None


EVENTS: dict[str, object] = {}
