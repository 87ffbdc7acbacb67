"""All processes that descend from this one, however they were started: they end with it."""

import contextlib
import ctypes
import os
import select
import signal
import time
from contextlib import ExitStack
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
        """Ask our children to leave, those too that only become ours meanwhile, and kill what stays."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        told: set[int] = set()
        while descendants() and time.monotonic() < deadline:
            children = _children(os.getpid())
            for process in children:
                if process not in told:
                    _send(process, signal.SIGTERM)
            told.update(children)
            _wait_for_one(children, deadline)
        while family := descendants():
            for process in family:
                self.left_behind.append(f"{process} {_command(process)}")
                _send(process, signal.SIGKILL)
            _wait_for_one(_children(os.getpid()), time.monotonic() + PATIENCE_SECONDS)


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


def _wait_for_one(processes: list[int], deadline: float) -> None:
    """Until one of them has ended."""
    with ExitStack() as stack:
        poll = select.poll()
        for process in processes:
            try:
                descriptor = os.pidfd_open(process)
            except ProcessLookupError:
                return
            stack.callback(os.close, descriptor)
            poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, deadline - time.monotonic()) * 1000)


def _send(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _command(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return "(gone)"
