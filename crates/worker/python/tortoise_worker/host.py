"""A process whose sessions are threads (`isolation = "thread"`): each client that comes by its line gets one.

They share all that a Python process has: modules, class attributes, the working directory, the lock of the
interpreter, and the signals, which the main thread has for itself. What `php` means is decided by the session
whose thread it is (see `inheriting.py`).
"""

import os
import select
import signal
import socket
import threading
import traceback
from contextlib import suppress
from typing import Any

from tortoise_worker import _native, control, inheriting, line
from tortoise_worker.children import Begun
from tortoise_worker.control import Client
from tortoise_worker.forked import become_process
from tortoise_worker.interrupts import Alarm
from tortoise_worker.search_path import SearchPath
from tortoise_worker.session import Session
from tortoise_worker.settings import Settings

# As much as the main thread of a process gets: Python's limit of recursion is reached first.
STACK_BYTES = 64 << 20


class Host:
    """The process, from its fork to its end."""

    def __init__(
        self,
        settings: Settings,
        supervisor: int,
        alarm: Alarm,
        search_path: SearchPath,
        begun: Begun,
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._alarm = alarm
        self._line = begun.line
        self._search_path = search_path
        self._poll = select.poll()
        # The ends that this side has of the lines of its sessions, by thread and by descriptor.
        self._sessions: dict[int, socket.socket] = {}
        self._lines: dict[int, socket.socket] = {}
        self._is_retiring = False

    def run(self) -> None:
        """Serves clients until the process is to retire and the last of them has left."""
        become_process(self._settings.memory_limit)
        # No session is the main thread, which a Ctrl-C would end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.stack_size(STACK_BYTES)
        inheriting.install()
        _native.keep_from_forks([self._supervisor, self._line.fileno()])
        self._poll.register(self._line, select.POLLIN)
        while not (self._is_retiring and not self._lines):
            for descriptor, _ in self._poll.poll():
                if descriptor != self._line.fileno():
                    self._hear_session(descriptor)
                elif not self._hear_zygote():
                    # It is gone, and with it all that could be done here.
                    os.killpg(0, signal.SIGKILL)
        # What is left of the user's code, threads and exit handlers, gets as long as a call.
        signal.setitimer(signal.ITIMER_REAL, max(self._settings.grace, 0.1))

    def _hear_zygote(self) -> bool:
        """Whether it is there."""
        said = self._line.recv(line.WORD_BYTES, socket.MSG_PEEK)
        if said.startswith(b"{"):
            received = control.receive(self._line)
            if received is None:
                return False
            packet, descriptors = received
            self._begin(control.read(packet)["session"], *descriptors)
            return True
        said = self._line.recv(line.WORD_BYTES)
        if said == line.RETIRE:
            self._is_retiring = True
            for each in self._lines.values():
                line.say(each, line.RETIRE)
        elif said.startswith(line.RECALL):
            ours = self._sessions.get(int(said.removeprefix(line.RECALL)))
            if ours is not None:
                line.say(ours, line.RETIRE)
        return bool(said)

    def _hear_session(self, descriptor: int) -> None:
        ours = self._lines[descriptor]
        if ours.recv(line.WORD_BYTES) == line.RECYCLED:
            # What a session has too much of is the process's.
            line.say(self._line, line.RECYCLED)
            return
        self._poll.unregister(descriptor)
        _native.forget_kept(descriptor)
        del self._lines[descriptor]
        ours.close()

    def _begin(self, order: dict[str, Any], descriptor: int) -> None:
        client, slot = Client.of(order, descriptor), order["slot"]
        ours, theirs = line.pair()
        _native.keep_from_forks([ours.fileno()])
        self._poll.register(ours, select.POLLIN)
        self._lines[ours.fileno()] = ours
        name = f"tortoise-{client.process}"
        thread = threading.Thread(
            target=self._serve, args=(client, slot, ours, theirs), name=name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            theirs.close()
            self._fail(client, slot, f"no thread could be started for the session: {error}")

    def _fail(self, client: Client, slot: int | None, message: str) -> None:
        control.refuse(client.socket, message)
        control.tell(self._line, {"failed": message, "client": client.process, "slot": slot})

    def _serve(self, client: Client, slot: int | None, ours: socket.socket, theirs: socket.socket) -> None:
        thread = threading.get_native_id()
        seat = {"client": client.process, "slot": slot}
        try:
            session = Session(self._search_path, self._settings)
            session.begin(client)
        except BaseException as error:
            theirs.close()
            traceback.print_exc()
            self._fail(client, slot, f"the session could not be set up: {error}")
            return
        if slot is not None:
            _native.take_slot(slot, thread)
        self._sessions[thread] = ours
        control.tell(self._line, {"started": thread, **seat})
        status = 0
        try:
            session.serve(
                client,
                control=os.dup(self._supervisor),
                line=theirs.detach(),
                slot=slot,
                alarm=self._alarm,
                zygote=self._line.fileno(),
            )
        except BaseException:
            traceback.print_exc()
            status = 1 << 8
        finally:
            session.close()
            del self._sessions[thread]
            control.tell(self._line, {"ended": thread, **seat, "status": status})
            # The watcher hears it, and the main thread.
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)
