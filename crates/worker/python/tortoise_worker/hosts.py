"""The zygote's part of `isolation = "thread"`: which process gets a client, and what becomes of its threads.

A host is a process whose sessions are threads (`host.py`). There are `workers` of them at most for the same
class roots; clients of different roots never share one, because all code of a process imports from the same
places.
"""

import json
import os
import select
import socket
from dataclasses import dataclass, field
from typing import Any

from tortoise_worker import control, line
from tortoise_worker.children import Begun, Child, Children, Ended
from tortoise_worker.control import Message


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of one session in a host."""

    client: int
    """The process id of PHP."""
    slot: int | None
    """On the board; None: there was none free."""


@dataclass(slots=True)
class Host:
    """One process, as the zygote knows it."""

    child: Child
    roots: tuple[str, ...]
    """Where its code imports from."""
    sessions: dict[int, Seat] = field(default_factory=dict)
    """By thread."""
    beginning: list[Seat] = field(default_factory=list)
    """Of clients that were handed over, and whose threads it has not told yet."""
    is_retiring: bool = False
    """It gets no more clients."""

    @property
    def load(self) -> int:
        """How many sessions it has."""
        return len(self.sessions) + len(self.beginning)


class Hosts:
    """Those of a zygote."""

    def __init__(self, children: Children, workers: int, supervisor: socket.socket) -> None:
        self._children = children
        self._workers = workers or len(os.sched_getaffinity(0))
        self._supervisor = supervisor
        self._by_process: dict[int, Host] = {}
        self._poll = select.epoll()

    def fileno(self) -> int:
        """What can be read when a host has said something."""
        return self._poll.fileno()

    def close(self) -> None:
        """In a new process: hears them no more."""
        self._poll.close()

    def serve(self, client: dict[str, Any], descriptor: int) -> Begun | None:
        """Hands a client over to the host with the fewest sessions, or to a new one. `Begun` in a new one.

        Raises `OSError` if there is none, and none can be started.
        """
        while True:
            host = self._choose(_roots_of(client))
            if isinstance(host, Begun):
                return host
            seat = Seat(client["client"], self._children.take_slot())
            packet = json.dumps({"session": {**client, "slot": seat.slot}}).encode()
            if line.hand_over(host.child.line, packet, descriptor):
                break
            # It has gone; its end will be seen in a moment.
            host.is_retiring = True
            self._children.free_slot(seat.slot)
        host.beginning.append(seat)
        os.close(descriptor)
        return None

    def hear(self) -> None:
        """What the hosts have said."""
        for descriptor, _ in self._poll.poll(0):
            host = next(each for each in self._by_process.values() if each.child.line.fileno() == descriptor)
            while (said := line.hear(host.child.line)) is not None:
                if not said:
                    # It has ended: that is seen by its status.
                    self._poll.unregister(descriptor)
                    break
                self._take(host, said)

    def bury(self, ended: Ended) -> bool:
        """Whether a process that has ended was a host; the supervisor is told what has ended with it then."""
        host = self._by_process.pop(ended.child.process, None)
        if host is None:
            return False
        for thread in list(host.sessions):
            self._leave(host, thread, ended.status)
        for seat in host.beginning:
            self._children.free_slot(seat.slot)
            message = "the process that was to serve the session ended before it began"
            control.tell(self._supervisor, {"failed": message, "client": seat.client})
        return True

    def recall(self, thread: int) -> None:
        """Has a session retire, if it is there."""
        if (host := self._host_of(thread)) is not None:
            line.say(host.child.line, line.RECALL + str(thread).encode())

    def process_of(self, number: int) -> int:
        """The process of a session's thread. Of what is none that number, which may be a process's."""
        host = self._host_of(number)
        return number if host is None else host.child.process

    def _choose(self, roots: tuple[str, ...]) -> Host | Begun:
        open_ones = [host for host in self._by_process.values() if not host.is_retiring]
        hosts = [host for host in open_ones if host.roots == roots]
        idlest = min(hosts, key=lambda host: host.load, default=None)
        if idlest is not None and (not idlest.load or len(hosts) >= self._workers):
            return idlest
        try:
            child = self._children.fork(has_slot=False)
        except OSError:
            if idlest is None:
                raise
            return idlest
        if isinstance(child, Begun):
            return child
        host = self._by_process[child.process] = Host(child, roots)
        self._poll.register(child.line, select.EPOLLIN)
        return host

    def _take(self, host: Host, said: bytes) -> None:
        if said == line.RECYCLED:
            self._retire(host)
            return
        message = json.loads(said)
        [(what, argument), *_] = message.items()
        seat = Seat(message["client"], message["slot"])
        if what == "ended":
            self._leave(host, argument, message["status"])
        else:
            host.beginning.remove(seat)
            if what == "started":
                host.sessions[argument] = seat
            else:
                self._children.free_slot(seat.slot)
            told: Message = {what: argument, "client": seat.client, "process": host.child.process}
            control.tell(self._supervisor, told)
        if not host.load and len(self._by_process) > self._workers:
            # One for other class roots may need its place.
            self._retire(host)

    def _leave(self, host: Host, thread: int, status: int) -> None:
        seat = host.sessions.pop(thread)
        requests, calls = self._children.free_slot(seat.slot)
        ended = {"ended": thread, "status": status, "requests": requests, "calls": calls}
        control.tell(self._supervisor, {**ended, "recycled": host.is_retiring})

    def _retire(self, host: Host) -> None:
        if not host.is_retiring:
            host.is_retiring = True
            line.say(host.child.line, line.RETIRE)

    def _host_of(self, thread: int) -> Host | None:
        return next((host for host in self._by_process.values() if thread in host.sessions), None)


def _roots_of(client: dict[str, Any]) -> tuple[str, ...]:
    """Where the code of a client's session imports from: all that is served, or what the client names."""
    served = client.get("served")
    return tuple(client["roots"] if served is None else (root for root, _ in served))
