"""The processes that the zygote has forked: spares, which wait for a client, and sessions."""

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from tortoise_worker import _native, line

# Where the system lists the zygote's children; it may not be built to.
LISTING = Path("/proc/thread-self/children")


@dataclass(slots=True)
class Child:
    """A forked process, as the zygote knows it."""

    process: int
    line: socket.socket
    """The zygote's end."""
    slot: int | None
    """On the board; None: there was none free."""
    client: int | None = None
    """The process id of PHP; None: it waits for a client."""
    is_holder: bool = False
    """Whether it holds the shared objects, and has no client ever."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a forked process knows of itself."""

    line: socket.socket
    """Its end."""
    slot: int | None
    """On the board; None: it has none."""
    is_holder: bool
    """Whether it is to hold the shared objects."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a child."""

    child: Child
    status: int
    """As `waitpid` gives it."""
    requests: int
    calls: int
    is_recycled: bool
    """Whether it left because it had served for long enough."""


class Children:
    """Those of the zygote."""

    def __init__(self, slots: int) -> None:
        """`slots` is how many the board has; 0: there is none."""
        self._slots = slots
        self._free_slots = list(reversed(range(slots)))
        self._by_process: dict[int, Child] = {}
        # The oldest last.
        self._spares: list[Child] = []
        self._holder: Child | None = None
        # What modules of `preload` have started.
        self._others = frozenset(_listed())

    def __bool__(self) -> bool:
        """Whether there are any but the process of the shared objects, which is there for them."""
        return len(self._by_process) > (self._holder is not None)

    @property
    def spares(self) -> int:
        """How many wait for a client."""
        return len(self._spares)

    @property
    def has_room(self) -> bool:
        """Whether the board, if there is one, has a slot for another."""
        return bool(self._free_slots) or not self._slots

    def get(self, process: int) -> Child | None:
        """The child of a process id, if it is one and has not ended."""
        return self._by_process.get(process)

    def take_spare(self) -> Child | None:
        """A process that waits for a client, and is not to be taken again."""
        return self._spares.pop() if self._spares else None

    @property
    def holder(self) -> Child | None:
        """The process of the shared objects, if it has been started and has not ended."""
        return self._holder

    def fork(self, *, has_slot: bool = True, is_holder: bool = False) -> Child | Begun:
        """A new process: `Child` in the zygote, `Begun` in the process itself. Raises `OSError`."""
        ours, theirs = line.pair()
        slot = self.take_slot() if has_slot and not is_holder else None
        try:
            process = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            self.free_slot(slot)
            raise
        if process == 0:
            # Also those of the others: a line must end with the zygote.
            for each in (ours, *(child.line for child in self._by_process.values())):
                each.close()
            if slot is not None:
                _native.take_slot(slot)
            return Begun(theirs, slot, is_holder)
        theirs.close()
        # It does so itself too: whoever comes first, neither finds it without its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpgid(process, process)
        child = self._by_process[process] = Child(process, ours, slot, is_holder=is_holder)
        if is_holder:
            self._holder = child
        return child

    def take_slot(self) -> int | None:
        """A slot of the board; None: there is none free."""
        return self._free_slots.pop() if self._free_slots else None

    def free_slot(self, slot: int | None) -> tuple[int, int]:
        """Gives a slot back, and tells how many requests and calls it showed."""
        if slot is None:
            return 0, 0
        self._free_slots.append(slot)
        return _native.free_slot(slot)

    def add_spare(self, child: Child) -> None:
        """A process waits for a client."""
        self._spares.insert(0, child)

    def retire(self) -> None:
        """Tells all to leave as soon as no request of theirs is going on."""
        self._spares.clear()
        for child in self._by_process.values():
            if not child.is_holder:
                line.say(child.line, line.RETIRE)

    def reap(self) -> Ended | None:
        """Takes leave of a process that has ended; None: there is none. Orphans are seen to on the way."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return None
            if ended is None:
                return None
            child = self._by_process.pop(ended.si_pid, None)
            if child is not None:
                # As long as nobody has waited for it, the number of the session's group can be no other's.
                kill_group(child.process)
            _, status = os.waitpid(ended.si_pid, 0)
            # Both a session and an orphan may leave orphans behind.
            self._kill_orphans()
            if child is not None:
                return self._bury(child, status)

    def _bury(self, child: Child, status: int) -> Ended:
        if child in self._spares:
            self._spares.remove(child)
        if child is self._holder:
            self._holder = None
        is_recycled = line.has_said(child.line, line.RECYCLED)
        child.line.close()
        requests, calls = self.free_slot(child.slot)
        return Ended(child, status, requests, calls, is_recycled)

    def kill_all(self) -> None:
        """Ends all, and waits until they and what they left behind have ended."""
        for process in self._by_process:
            kill_group(process)
        self._others = frozenset()
        with contextlib.suppress(ChildProcessError):
            while True:
                self._kill_orphans()
                process, _ = os.waitpid(-1, 0)
                self._by_process.pop(process, None)

    def _kill_orphans(self) -> None:
        """Ends processes that a session started, and that have outlived it in a process group of their own.

        As long as a session lives, it is itself the parent of its processes whose parents have ended.
        """
        for process in _listed():
            if process not in self._by_process and process not in self._others:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)


def _listed() -> list[int]:
    """The children of the zygote, as far as the system says."""
    try:
        return list(map(int, LISTING.read_text().split()))
    except OSError:
        return []


def kill_group(process: int) -> None:
    """Ends a child of ours, and what it started in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
