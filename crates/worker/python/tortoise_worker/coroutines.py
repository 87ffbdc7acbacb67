"""Runs the coroutines that PHP calls: on one asyncio loop, in a thread that begins with the first of them."""

import asyncio
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from tortoise_worker import _native, classes

CANCEL_PATIENCE = 5.0
"""Seconds that cancelled coroutines get for their `finally` before the session goes on without them."""

_Task = asyncio.Task[Any]


class Coroutines:
    """Those of one session."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        # Those that PHP does not wait for, by the ids of their calls. Only the loop's thread changes it.
        self._tasks: dict[int, _Task] = {}
        self._done: SimpleQueue[tuple[int, _Task] | None] = SimpleQueue()
        # Those that PHP waits for. Only the loop's thread changes it.
        self._awaited: set[_Task] = set()
        self._is_closed = False

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine gives. Raises what it raises."""
        loop = self._running_loop()
        begun: list[_Task] = []
        done: SimpleQueue[_Task | None] = SimpleQueue()

        def begin() -> None:
            begun.append(loop.create_task(coroutine))
            self._awaited.add(begun[0])
            begun[0].add_done_callback(finish)

        def finish(task: _Task) -> None:
            self._awaited.discard(task)
            done.put(task)

        def cancel() -> None:
            # Of one that has ended the word may have been taken already, just before the interrupt.
            if not begun or not begun[0].cancel("nobody waits for it any more"):
                done.put(None)

        task = None
        try:
            loop.call_soon_threadsafe(begin)
            task = done.get()
        finally:
            if task is None:
                # Interrupted. Its own `finally` is part of the call.
                loop.call_soon_threadsafe(cancel)
                with suppress(Empty):
                    done.get(timeout=CANCEL_PATIENCE)
        try:
            return task.result()
        finally:
            # An exception's traceback holds this frame, which would hold the exception.
            del task

    def begin(self, call: int, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Runs a coroutine whose outcome is sent to PHP when it is there."""
        loop = self._running_loop()

        def begin() -> None:
            task = self._tasks[call] = loop.create_task(coroutine)
            task.add_done_callback(done)

        def done(task: _Task) -> None:
            del self._tasks[call]
            self._done.put((call, task))

        loop.call_soon_threadsafe(begin)

    def cancel(self, call: int) -> None:
        """Cancels what runs for a call, if it does."""

        def cancel() -> None:
            if (task := self._tasks.get(call)) is not None:
                task.cancel("PHP has cancelled the call")

        if self._loop is not None:
            self._loop.call_soon_threadsafe(cancel)

    def interrupt(self) -> None:
        """Cancels what PHP waited for. From any thread: the session's own one waits for it too."""

        def cancel() -> None:
            for task in list(self._awaited):
                task.cancel("PHP does not wait for the call any more")

        if self._loop is not None:
            self._loop.call_soon_threadsafe(cancel)

    def close(self) -> None:
        """Ends the loop and its threads: the session is over, and the process goes on."""
        self._is_closed = True
        if self._loop is not None:
            with suppress(RuntimeError):  # User code has closed it.
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._done.put(None)

    def cancel_all(self) -> None:
        """Cancels what runs for calls that PHP does not wait for, and waits for its end, but not for ever."""
        if self._loop is None:
            return
        done: SimpleQueue[None] = SimpleQueue()

        def cancel() -> None:
            tasks = list(self._tasks.values())
            left = len(tasks)

            def count(_: _Task) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    done.put(None)

            for task in tasks:
                task.add_done_callback(count)
                task.cancel("the request of PHP that called it is over")
            if not tasks:
                done.put(None)

        self._loop.call_soon_threadsafe(cancel)
        try:
            done.get(timeout=CANCEL_PATIENCE)
        except Empty:
            print(
                f"tortoise: coroutines of a PHP request that is over go on after {CANCEL_PATIENCE:g} s, "
                "although they were cancelled",
                file=sys.stderr,
            )

    def iterate(self, target: Any) -> Iterator[Any]:
        """Items of what `async for` takes, one at a time. Raises TypeError if it takes no such object."""
        begin = classes.inherited(type(target), "__aiter__")
        if begin is None:
            raise TypeError(f"an object of {classes.display_name_of(type(target))} cannot be iterated")
        return _Items(self, begin(target))

    @staticmethod
    def cancelled() -> BaseException:
        """The error of a call that was cancelled before it began."""
        return asyncio.CancelledError("PHP has cancelled the call before it began")

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            _start("tortoise-asyncio", self._serve_loop)
            _start("tortoise-answers", self._send_answers)
        return self._loop

    def _serve_loop(self) -> None:
        assert self._loop is not None
        _native.enter_loop()
        asyncio.set_event_loop(self._loop)
        # Whoever closes it gets an error at the next coroutine, and so do all others.
        while not self._loop.is_closed():
            try:
                self._loop.run_forever()
            except BaseException:
                # SystemExit or KeyboardInterrupt of a task. Who awaits it is told; others need the loop.
                continue
            if self._is_closed:
                self._loop.close()
                return
            print("tortoise: the event loop was stopped by the code it runs, and goes on", file=sys.stderr)

    def _send_answers(self) -> None:
        while (done := self._done.get()) is not None:
            call, task = done
            try:
                self._send_answer(call, task)
            except BaseException:
                print(f"tortoise: the answer to call {call} could not be sent:", file=sys.stderr)
                traceback.print_exc()
            del done, task

    @staticmethod
    def _send_answer(call: int, task: _Task) -> None:
        try:
            value = task.result()
        except BaseException as error:
            _native.answer_coroutine(call, None, error)
        else:
            _native.answer_coroutine(call, value, None)


class _Items:
    """The items of an asynchronous iterator, one at a time."""

    def __init__(self, coroutines: Coroutines, iterator: Any) -> None:
        self._coroutines = coroutines
        self._iterator = iterator

    def __iter__(self) -> "_Items":
        return self

    def __next__(self) -> Any:
        _native.check_loop()
        with suppress(StopAsyncIteration):
            return self._coroutines.run(_next(self._iterator))
        raise StopIteration


async def _next(iterator: Any) -> Any:
    return await anext(iterator)


def _start(name: str, target: Callable[[], None]) -> None:
    """Starts a thread that no signal interrupts: signals are for the session's own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        threading.Thread(target=target, name=name, daemon=True).start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
