"""Makes what user code starts in other threads be of its session, in a process that has several.

`threading.Thread` is of the session of the thread that starts it, and so is all that it starts in turn; a
function that is given to a `ThreadPoolExecutor` (or by way of one, as by `asyncio.to_thread`) is run for the
session that gave it, whosever the thread is. Other threads are of no session.
"""

import concurrent.futures
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tortoise_worker._native import current_session

# Where there is one, it takes functions to another interpreter, in which there is no session.
_OTHER_INTERPRETERS = getattr(concurrent.futures, "InterpreterPoolExecutor", ())


def install() -> None:
    """From now on, for good."""
    threading.Thread.start = _started(threading.Thread.start)  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = _submitted(ThreadPoolExecutor.submit)  # type: ignore[method-assign]


def _started(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def start_in_session(self: threading.Thread) -> None:
        session = current_session()
        if session is None:
            return start(self)
        # A class may have a `run` of its own, and an object too.
        own, run = vars(self).get("run"), self.run

        def restore() -> None:
            if own is None:
                vars(self).pop("run", None)
            else:
                vars(self)["run"] = own

        def run_in_session() -> None:
            restore()
            session.call(run)

        vars(self)["run"] = run_in_session
        try:
            return start(self)
        except BaseException:
            restore()
            raise

    return start_in_session


def _submitted(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def submit_in_session(
        self: ThreadPoolExecutor, fn: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> Future[Any]:
        session = current_session()
        if session is None or isinstance(self, _OTHER_INTERPRETERS):
            return submit(self, fn, *arguments, **named)
        return submit(self, session.call, fn, *arguments, **named)

    return submit_in_session
