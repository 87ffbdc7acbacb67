"""Whose turn it is with a shared object, for whom a thread works, and what is done where that one leaves."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tortoise_worker import Interrupted
from tortoise_worker._native import Caller

Frame = Sequence[bytes]


class Turn:
    """Lets one thread in at a time, as often as it likes."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._owner: int | None = None
        self._depth = 0

    def enter(self, has_left: Callable[[], bool]) -> bool:
        """Waits for the turn. False if the one for whom this is has left meanwhile."""
        thread = threading.get_ident()
        with self._condition:
            while self._owner not in (None, thread) and not has_left():
                self._condition.wait()
            if has_left():
                self._condition.notify()
                return False
            self._owner = thread
            self._depth += 1
            return True

    def leave(self) -> None:
        """Lets the next one in."""
        with self._condition:
            self._depth -= 1
            if self._depth == 0:
                self._owner = None
                self._condition.notify()

    def wake(self) -> None:
        """Those that wait look again whether their callers have left."""
        with self._condition:
            self._condition.notify_all()


class Calling(threading.local):
    """For whom this thread works."""

    registry: Any = None
    """The objects that those which it calls can use; None: it does nothing for anybody."""
    caller: Caller | None = None


calling: Final = Calling()


@contextmanager
def on_behalf(registry: object, caller: Caller | None) -> Iterator[Callable[[], bool]]:
    """The thread works for this caller, or for whom it works already. Gives whether that has left.

    Whoever has begun a chain of calls is the one whose leaving ends it.
    """
    before = calling.registry, calling.caller
    calling.registry, calling.caller = registry, caller or calling.caller
    first = calling.caller
    try:
        yield lambda: first is not None and first.has_left
    finally:
        calling.registry, calling.caller = before


def interruptible(caller: Caller | None, action: Callable[[], Frame]) -> Frame | None:
    """Does it, unless the caller has left. None if it leaves meanwhile."""
    if caller is None:
        return action()
    try:
        try:
            return action() if caller.begin() else None
        finally:
            caller.end()
    except Interrupted:
        # It is raised once in a call: if that was just before the end, this is the end.
        caller.end()
        return None
