"""The process that holds the shared objects of a worker: a thread for each connection of a session.

It is forked from the zygote when the first session asks for a shared object, and lives as long as the line to
the zygote, on which the connections come: `{"shared": {...}}` with a socket.
"""

import os
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from typing import Any, Final

from tortoise_worker import Interrupted, control, shared_objects, shared_wire
from tortoise_worker._native import MAX_PATH_BYTES, MAX_ROOTS, Caller, Watch
from tortoise_worker.search_path import SearchPath
from tortoise_worker.shared_registry import Registry
from tortoise_worker.shared_turns import Frame, calling

STACK_BYTES = 16 << 20
"""The stack of a thread that runs user code: with less, a plain recursion bug would end the process."""

_NUMBER = struct.Struct("<Q")


def run(line: socket.socket, grace: float, *, looks_at_files: bool = False) -> None:
    """Serves sessions until the line ends.

    `grace`: seconds that a call gets to end, after its caller has left; then the process is ended.
    `looks_at_files`: and where a file has changed, when somebody asks for an object and no call is going on.
    """
    holder = Holder(line, grace, looks_at_files)
    shared_objects.set_exchange_of_thread(holder.exchange_of_thread)
    threading.stack_size(STACK_BYTES)
    threading.Thread(target=holder.interrupt, name="tortoise-interrupt", daemon=True).start()
    while (connection := _next(line)) is not None:
        threading.Thread(target=holder.serve, args=(connection,), name="tortoise-shared", daemon=True).start()


class Holder:
    """Objects, and the connections by which they are used."""

    def __init__(self, line: socket.socket, grace: float, looks_at_files: bool) -> None:
        self._looks_at_files = looks_at_files
        self._registries: dict[tuple[str, ...], Registry] = {}
        self._search_path = SearchPath(is_shared=True)
        self._lock = threading.Lock()
        self._callers: dict[int, Caller] = {}
        self._left, left = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(left, False)
        ended = b"".join(shared_wire.answer("ended"))
        self._watch: Final = Watch(line.fileno(), left, grace, ended)

    def serve(self, connection: socket.socket) -> None:
        """Answers one connection until it ends."""
        with connection:
            caller = self._watch.add(connection.fileno())
            self._callers[caller.number] = caller
            try:
                self._converse(connection, caller)
            except (shared_wire.LostError, Interrupted):
                # It has left in the middle: nobody is there to be told.
                pass
            except (OSError, ValueError) as error:
                print(f"tortoise: a connection to the shared objects was closed: {error}", file=sys.stderr)
            finally:
                caller.close()
                self._callers.pop(caller.number, None)

    def _converse(self, connection: socket.socket, caller: Caller) -> None:
        hello = shared_wire.receive(connection)
        if hello is None:
            return
        registry = self._registry(hello)
        shared_wire.send(connection, shared_wire.answer("ready"))
        while (request := shared_wire.receive(connection)) is not None:
            answer = registry.answer(request, caller)
            if answer is None:
                return
            shared_wire.send(connection, answer)
            caller.rest()

    def _registry(self, hello: Sequence[Any]) -> Registry:
        version, roots = hello
        if version != shared_wire.VERSION:
            raise ValueError(f"it speaks version {version}, not {shared_wire.VERSION}")
        if len(roots) > MAX_ROOTS or any(len(os.fsencode(root)) > MAX_PATH_BYTES for root in roots):
            raise ValueError("its class roots are over the limits")
        with self._lock:
            key = tuple(roots)
            if key not in self._registries:
                self._registries[key] = Registry(
                    roots, self._search_path, self._count, self._renew if self._looks_at_files else None
                )
            return self._registries[key]

    def _count(self) -> int:
        return sum(map(len, list(self._registries.values())))

    def _renew(self, file: str) -> None:
        print(f"tortoise: {file} has changed: the shared objects are made anew", file=sys.stderr)
        self._watch.renew()

    def interrupt(self) -> None:
        """Raises `Interrupted` in the calls whose callers leave, for ever."""
        while True:
            (number,) = _NUMBER.unpack(os.read(self._left, _NUMBER.size))
            caller = self._callers.get(number)
            if caller is not None:
                caller.interrupt(Interrupted)
                for registry in list(self._registries.values()):
                    registry.wake()

    def exchange_of_thread(self) -> shared_objects.Exchange:
        """How an object of this process uses another one of it."""
        registry = calling.registry
        if registry is None:
            raise RuntimeError(
                "shared() was called in a thread that a shared object has started; it works where a session "
                "or another shared object makes a call"
            )
        return Within(registry)


class Within:
    """Asks the same process. What goes in and comes out is copied as it is between processes."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, pieces: Frame) -> list[Any]:
        """The answer to a request."""
        answer = self._registry.answer(shared_wire.content(pieces), None)
        if answer is None:
            raise Interrupted
        return shared_wire.content(answer)


def _next(line: socket.socket) -> socket.socket | None:
    """The next connection; None where the line has ended."""
    received = control.receive(line)
    if received is None:
        return None
    [(what, _)], [descriptor] = control.read(received[0]).items(), received[1]
    if what != "shared":
        raise ValueError(f"{what!r} was said to the process of the shared objects")
    os.set_blocking(descriptor, True)
    return socket.socket(fileno=descriptor)
