"""All processes that descend from this one, however they were started: they end with it."""

import contextlib
import ctypes
import os
import select
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PR_SET_CHILD_SUBREAPER = 36

PATIENCE_SECONDS = 15.0


class Family:
    """Orphans below this process come to it, so that a restarted sidecar is still found. A `with` block ends all."""

    def __init__(self) -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "cannot become the parent of orphans")
        self.left_behind: list[str] = []
        """What had to be killed in the end: process ids with their command lines."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ask our children to leave, wait until all descendants are gone, and kill those that stay."""
        for process in _children(os.getpid()):
            _send(process, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (family := descendants()) and time.monotonic() < deadline:
            for process in family:
                _wait_for(process, deadline)
        while family := descendants():
            for process in family:
                self.left_behind.append(f"{process} {_command(process)}")
                _send(process, signal.SIGKILL)
            for process in family:
                _wait_for(process, time.monotonic() + PATIENCE_SECONDS)


def descendants() -> list[int]:
    """Return the living processes below this one; the dead among its children are buried."""
    _bury()
    found, waiting = [], [os.getpid()]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _bury() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _children(process: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def _wait_for(process: int, deadline: float) -> None:
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
    finally:
        os.close(descriptor)


def _send(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _command(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return "(gone)"
