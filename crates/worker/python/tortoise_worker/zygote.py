"""The parent of the sessions: has everything imported, and forks a process for each client, or ahead of time.

It is single-threaded and only waits for two things, the supervisor and the end of a child. Of the user's code
it runs what the modules of `preload` do when they are imported, and nothing else.
"""

import gc
import os
import platform
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from tortoise_worker import _native, control, line
from tortoise_worker.children import Begun, Child, Children, Ended, kill_group
from tortoise_worker.hosts import Hosts
from tortoise_worker.settings import Settings

# How an order to serve a client begins: the supervisor writes it so.
SESSION = b'{"session"'

# A client that has just come needs the CPUs more than the spare that takes the place of its process.
REFILL_MILLISECONDS = 20

# Then something is wrong with them, and clients get new processes until one has come.
MAX_LOST_SPARES = 10


class Zygote:
    """One worker, until it leaves."""

    def __init__(self, supervisor: int, settings: Settings, slots: int) -> None:
        self._supervisor = socket.socket(fileno=supervisor)
        self._settings = settings
        self._children = Children(slots)
        is_threaded = settings.isolation == "thread"
        self._hosts = Hosts(self._children, settings.workers, self._supervisor) if is_threaded else None
        self._is_retired = False
        # Spares that could not be forked, or have ended, since the last client came.
        self._lost_spares = 0
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def run(self, warnings: Sequence[str] = ()) -> Begun | None:
        """Serves the supervisor until it leaves, or all sessions of a worker that retires; None then.

        In a forked process: what that is to know.
        """
        self._supervisor.set_inheritable(False)
        self._supervisor.setblocking(True)
        # The end of a child must end the wait; the bytes that Python writes into the pipe do so in any order.
        signal.signal(signal.SIGCHLD, _ignore)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        _native.adopt_orphans()
        # What is here now is never garbage, and children that do not look at it share its memory.
        gc.collect()
        gc.freeze()
        ready = {
            "pid": os.getpid(),
            "python": platform.python_version(),
            "product": _native.PRODUCT_VERSION,
            "warnings": list(warnings),
        }
        control.tell(self._supervisor, {"ready": ready})

        poll = select.poll()
        poll.register(self._supervisor, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        if self._hosts is not None:
            poll.register(self._hosts, select.POLLIN)
        while not (self._is_retired and not self._children):
            events = poll.poll(self._patience())
            if not events and (begun := self._add_spare()) is not None:
                return begun
            for descriptor, _ in events:
                if descriptor == self._wake_read:
                    os.read(self._wake_read, 4096)
                    self._reap()
                    continue
                if self._hosts is not None and descriptor == self._hosts.fileno():
                    self._hosts.hear()
                    continue
                received = control.receive(self._supervisor)
                if received is None:
                    self._children.kill_all()
                    return None
                if (begun := self._obey(*received)) is not None:
                    return begun
        return None

    def _obey(self, packet: bytes, descriptors: list[int]) -> Begun | None:
        child = None
        if len(descriptors) == 1 and packet.startswith(SESSION) and not self._is_retired:
            # It can begin before we have read what it is about.
            child = self._give_to_spare(packet, descriptors[0])
        [(what, argument), *others] = control.read(packet).items()
        if others or len(descriptors) != (what in ("session", "shared")):
            raise ValueError(f"an order {what!r} with {len(descriptors)} descriptors from the supervisor")
        match what:
            case "session":
                return self._serve(argument, packet, descriptors[0], child)
            case "shared":
                return self._share(packet, descriptors[0])
            case "retire":
                self._is_retired = True
                self._children.retire()
            case "recall":
                if self._hosts is not None:
                    self._hosts.recall(argument)
                elif (child := self._children.get(argument)) is not None:
                    line.say(child.line, line.RETIRE)
            case "kill":
                process = argument if self._hosts is None else self._hosts.process_of(argument)
                if self._children.get(process) is not None:
                    kill_group(process)
            case _:
                raise ValueError(f"an order {what!r} from the supervisor")
        return None

    def _give_to_spare(self, packet: bytes, descriptor: int) -> Child | None:
        """Gives a client to a process that waits; None: there is none."""
        while (child := self._children.take_spare()) is not None:
            if line.hand_over(child.line, packet, descriptor):
                return child
        return None

    def _serve(
        self, client: dict[str, Any], packet: bytes, descriptor: int, child: Child | None
    ) -> Begun | None:
        """Sees to a client that `child` has been given, or else a new process is. `Begun` in that."""
        if self._is_retired:
            return self._fail(client, descriptor, "the worker retires")
        self._lost_spares = 0
        if self._hosts is not None:
            return self._serve_by_host(self._hosts, client, descriptor)
        if child is None:
            try:
                begun = self._fork()
            except OSError as error:
                message = f"no process could be started for the session: {error}"
                return self._fail(client, descriptor, message)
            if isinstance(begun, Begun):
                os.close(descriptor)
                return begun
            child = begun
            # It cannot have gone: nobody has read its status.
            line.hand_over(child.line, packet, descriptor)
        os.close(descriptor)
        child.client = client["client"]
        started = {"started": child.process, "client": child.client, "process": child.process}
        control.tell(self._supervisor, started)
        return None

    def _serve_by_host(self, hosts: Hosts, client: dict[str, Any], descriptor: int) -> Begun | None:
        try:
            begun = hosts.serve(client, descriptor)
        except OSError as error:
            return self._fail(client, descriptor, f"no process could be started for the session: {error}")
        if begun is not None:
            os.close(descriptor)
            self._forget()
        return begun

    def _share(self, packet: bytes, descriptor: int) -> Begun | None:
        """Passes a session's connection on to the process of the shared objects. `Begun` in a new one."""
        try:
            holder = self._children.holder
            # One that ends just now takes nothing any more.
            while holder is None or not line.hand_over(holder.line, packet, descriptor):
                begun = self._fork(is_holder=True)
                if isinstance(begun, Begun):
                    return begun
                holder = begun
        except OSError as error:
            # The session sees that its connection ends.
            print(f"tortoise: no process could be started for shared objects: {error}", file=sys.stderr)
        finally:
            os.close(descriptor)
        return None

    def _fail(self, client: dict[str, Any], descriptor: int, message: str) -> None:
        control.refuse(descriptor, message)
        control.tell(self._supervisor, {"failed": message, "client": client["client"]})

    def _patience(self) -> int | None:
        """After how many milliseconds without an event a spare is added; None: there is no room for one."""
        children = self._children
        wants_spare = (
            children.spares < self._settings.spare_sessions
            and children.has_room
            and self._hosts is None
            and not self._is_retired
            and self._lost_spares < MAX_LOST_SPARES
        )
        if not wants_spare:
            return None
        return REFILL_MILLISECONDS if children.spares else 0

    def _add_spare(self) -> Begun | None:
        """Forks a process that waits for a client. `Begun` in that."""
        try:
            begun = self._fork()
        except OSError as error:
            print(f"tortoise: no process could be started ahead of time: {error}", file=sys.stderr)
            self._lost_spares += 1
            return None
        if isinstance(begun, Begun):
            return begun
        self._children.add_spare(begun)
        return None

    def _fork(self, *, is_holder: bool = False) -> Child | Begun:
        begun = self._children.fork(is_holder=is_holder)
        if isinstance(begun, Begun):
            self._forget()
        return begun

    def _forget(self) -> None:
        """In a new process: what was the zygote's is not its own."""
        if self._hosts is not None:
            self._hosts.close()
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)
        # The process says something there itself now and then.
        self._supervisor.detach()

    def _reap(self) -> None:
        """Takes leave of every child that has ended: one signal may stand for several."""
        if self._hosts is not None:
            # What those have said that have ended.
            self._hosts.hear()
        while (ended := self._children.reap()) is not None:
            if self._hosts is not None and self._hosts.bury(ended):
                continue
            if ended.child.is_holder:
                _log_end_of_holder(ended)
            elif ended.child.client is None:
                self._lost_spares += 1
            else:
                message = {
                    "ended": ended.child.process,
                    "status": ended.status,
                    "requests": ended.requests,
                    "calls": ended.calls,
                    "recycled": ended.is_recycled,
                }
                control.tell(self._supervisor, message)


def _log_end_of_holder(ended: Ended) -> None:
    code = os.waitstatus_to_exitcode(ended.status)
    if code != 0:
        how = f"was ended by signal {-code}" if code < 0 else f"has ended with status {code}"
        print(
            f"tortoise: the process of the shared objects, {ended.child.process}, {how}; "
            "they are made anew where they are used next",
            file=sys.stderr,
        )


def _ignore(_signal: int, _frame: object) -> None:
    """Does nothing: that the signal came is what counts."""
