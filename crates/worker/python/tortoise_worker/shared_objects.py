"""`shared()`: objects that all sessions of a worker use by their names."""

import json
import os
import socket
import sys
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from tortoise_worker import _native, classes, shared_values, shared_wire
from tortoise_worker.loader import Loader, shortened
from tortoise_worker.shared_errors import SharedError
from tortoise_worker.shared_forwarding import Exchange, Handle, SharedObject, forwarding

# Times that a lost connection is made anew for one request that was not done.
_ATTEMPTS: Final = 8

_exchange_of_thread: Callable[[], Exchange] = _native.shared_objects


def shared(name: str, cls: type | str, /, *arguments: object, **named: object) -> Any:
    """The one object of this name for all sessions, in a process of its own. The first who asks has it made.

    `cls` is a class, or the name that it has in PHP: then the session need not import it. The arguments are
    for its constructor, and count only if the object is not there yet. They are values, as all that its
    methods take and give.

    Raises what the constructor raises, `TypeError` for an argument that is no value, `SharedError` if the
    name stands for an object of another class, and `RuntimeError` outside of a session.
    """
    return forwarding(Handle(_exchange_of_thread(), name, _selector(cls), arguments, named))


def set_exchange_of_thread(exchange_of_thread: Callable[[], Exchange]) -> None:
    """Says how `shared` finds the way to the shared objects in a thread, where that is not of a session."""
    global _exchange_of_thread
    _exchange_of_thread = exchange_of_thread


class Connections:
    """How one session reaches the shared objects: a connection for each thread that asks at once."""

    def __init__(self, loader: Loader) -> None:
        """`loader` knows the class roots of the session."""
        self._loader = loader
        self._control = -1
        self._client = 0
        self._process = 0
        self._idle: deque[tuple[socket.socket, list[str]]] = deque()
        self._busy: set[socket.socket] = set()

    def __call__(self, pieces: Sequence[bytes]) -> list[Any]:
        """The answer to a request.

        Raises `SharedError` if the process of the shared objects is out of reach, or ends in the middle.
        """
        if os.getpid() != self._process:
            raise RuntimeError("shared objects are out of reach in a process that was forked from a session")
        if self._control < 0:
            raise SharedError("shared objects are out of reach: PHP has gone, and its session with it")
        for _ in range(_ATTEMPTS):
            connection = self._take()
            if connection is None:
                continue
            answer = self._asked(connection, pieces)
            if answer is not None:
                return answer
        raise SharedError("the process of the shared objects cannot be reached; the sidecar's log says why")

    def begin(self, control: int, client: int) -> None:
        """The session begins, of the client of this process id. `control` is the supervisor's socket."""
        self._control = control
        self._client = client
        self._process = os.getpid()

    def function(self, name: str, cls: str) -> Callable[..., SharedObject]:
        """Takes the arguments of a constructor and gives the object, for PHP."""

        def shared(*arguments: object, **named: object) -> SharedObject:
            return forwarding(Handle(self, name, cls, arguments, named))

        return shared

    def interrupt(self) -> None:
        """Ends what other threads wait for: as in a lost process, but that the call is interrupted there."""
        for connection in list(self._busy):
            _shut_down(connection)

    def close(self) -> None:
        """Lets go of the connections."""
        while self._idle:
            _close(self._idle.pop()[0])

    def end(self) -> None:
        """The session has ended, and its process goes on: the supervisor's socket is not its own any more."""
        self._control = -1
        self.close()

    def _asked(self, connection: socket.socket, pieces: Sequence[bytes]) -> list[Any] | None:
        """The answer; None if the request was not done."""
        self._busy.add(connection)
        try:
            try:
                shared_wire.send(connection, pieces)
            except shared_wire.LostError:
                _close(connection)
                return None
            answer = shared_wire.receive(connection)
        except shared_wire.LostError:
            answer = None
        except BaseException:
            # Interrupted in the middle: whoever is at the other end sees that nobody waits any more.
            _close(connection)
            raise
        finally:
            self._busy.discard(connection)
        if answer is None:
            _close(connection)
            raise SharedError(
                "the process of the shared objects ended in the middle of a call, which may have been done; "
                "the objects are made anew when they are used next"
            )
        if answer == ["ended"]:
            _close(connection)
            return None
        self._idle.append((connection, self._loader.roots))
        return answer

    def _take(self) -> socket.socket | None:
        """A connection on which nothing was asked; None if it did not come about."""
        while self._idle:
            try:
                connection, roots = self._idle.pop()
            except IndexError:
                break
            if roots == self._loader.roots and shared_wire.is_alive(connection):
                return connection
            _close(connection)
        return self._connect()

    def _connect(self) -> socket.socket | None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._ask_supervisor(theirs)
            hello = shared_values.encode(shared_wire.VERSION, "version")
            hello += shared_values.encode(self._loader.roots, "class roots")
            shared_wire.send(ours, shared_wire.frame(hello))
            if shared_wire.receive(ours) == ["ready"]:
                return ours
        except shared_wire.LostError:
            pass
        except BaseException:
            _close(ours)
            raise
        _close(ours)
        return None

    def _ask_supervisor(self, connection: socket.socket) -> None:
        """Has the supervisor pass one end of a connection on, by a packet that stands for itself."""
        packet = json.dumps({"share": {"client": self._client}}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [connection.fileno()]))]
        control = socket.socket(fileno=self._control)
        try:
            control.sendmsg([packet], rights)
        finally:
            control.detach()


def _selector(cls: type | str) -> object:
    if isinstance(cls, str):
        return cls
    if not classes.is_class(cls):
        raise TypeError(f"shared() takes a class or its PHP name, not {shortened(repr(cls))}")
    module, qualified_name = classes.module_of(cls), classes.qualified_name_of(cls)
    if "<locals>" in qualified_name:
        raise TypeError(
            f"{classes.display_name_of(cls)} is local to a function: another process cannot find it"
        )
    return [module, qualified_name, getattr(sys.modules.get(module), "__file__", None)]


def _close(connection: socket.socket) -> None:
    # A process that user code forked may have a copy: the other side is to see the end all the same.
    _shut_down(connection)
    connection.close()


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
