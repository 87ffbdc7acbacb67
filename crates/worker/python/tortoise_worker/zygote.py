"""The parent of the sessions: has everything imported, runs no user code, and forks a child for each client.

It is single-threaded and only waits for two things, the supervisor and the end of a child. One packet of the
control socket is one JSON object:

    zygote → supervisor   {"ready": {"pid": 7, "python": "3.11.2", "product": "0.1.0"}}
                          {"started": 8, "client": 5}
                          {"failed": "the message", "client": 5}
                          {"ended": 8, "status": 9}            the raw status of `waitpid`
    supervisor → zygote   {"session": {"roots": [...], "modules": [...], "client": 5}}
                          with the client's socket as the one descriptor that comes along, and
                          "served": [["/canonical", "/as/set"], ...] unless the client may search any root,
                          "shared_memory": true if the client takes it,
                          "asked_modules": [...] if the client narrows "modules"
"""

import contextlib
import gc
import json
import os
import platform
import select
import signal
import socket
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tortoise_worker import _native

# Roots and patterns at their limits are some 400 KiB; Linux refuses longer packets well before this.
MAX_PACKET_BYTES = 1 << 20

# One is right; the room for more is there to close what should not have come.
MAX_DESCRIPTORS = 8


@dataclass(frozen=True, slots=True)
class Client:
    """A client whose hello the supervisor has read, as the session's process gets it."""

    socket: int
    """The descriptor of its stream socket, blocking."""
    control: int
    """The descriptor of the supervisor's socket: it hangs up when the supervisor is gone."""
    roots: list[str]
    """Class roots, in the order in which they are searched."""
    modules: list[str]
    """Patterns of modules that the client may open."""
    process: int
    """The process id of the PHP process, for the log."""
    served: list[list[str]] | None = None
    """Among which class roots the client can choose, each in both its spellings; None: among all."""
    shared_memory: bool = False
    """Whether the client takes shared memory."""
    asked_modules: Sequence[str] = ()
    """Patterns by which the client narrows those in `modules`; none: it does not."""


def run(control: int) -> Client | None:
    """Serves the supervisor until it leaves; None then. In a forked child: the client that it is for."""
    supervisor = socket.socket(fileno=control)
    supervisor.set_inheritable(False)
    supervisor.setblocking(True)
    wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    # The end of a child must end the wait; the bytes that Python writes into the pipe do that without a race.
    signal.signal(signal.SIGCHLD, _ignore)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    # What is here now is never garbage, and children that do not look at it share its memory.
    gc.collect()
    gc.freeze()

    ready = {"pid": os.getpid(), "python": platform.python_version(), "product": _native.PRODUCT_VERSION}
    _tell(supervisor, {"ready": ready})
    poll = select.poll()
    poll.register(supervisor, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    is_retired = False
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == wake_read:
                os.read(wake_read, 4096)
                if not _reap(supervisor) and is_retired:
                    return None
                continue
            order = _receive(supervisor)
            if order is None:
                return None
            if order == "retire":
                is_retired = True
                if not _reap(supervisor):
                    return None
                continue
            if isinstance(order, str):
                continue
            if _fork(supervisor, order):
                continue
            signal.set_wakeup_fd(-1)
            os.close(wake_read)
            os.close(wake_write)
            supervisor.detach()
            return order


def _fork(supervisor: socket.socket, client: Client) -> bool:
    """Starts the client's process. True in the zygote, False in the new process."""
    try:
        pid = os.fork()
    except OSError as error:
        message = f"no process could be started for the session: {error}"
        _refuse(client.socket, message)
        _tell(supervisor, {"failed": message, "client": client.process})
        return True
    if pid == 0:
        _become_session(client)
        return False
    os.close(client.socket)
    _tell(supervisor, {"started": pid, "client": client.process})
    return True


def _become_session(client: Client) -> None:
    """Gives a new process the signals of any Python program, and a process group of its own.

    The group is what ends the processes that its code started, together with the session, and it keeps a
    Ctrl-C in the supervisor's terminal from the user's code.
    """
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.set_inheritable(client.socket, False)
    os.set_blocking(client.socket, True)
    gc.enable()


def _receive(supervisor: socket.socket) -> Client | str | None:
    """The supervisor's next order; None if it has gone."""
    room = socket.CMSG_SPACE(MAX_DESCRIPTORS * array("i").itemsize)
    try:
        packet, ancillary, flags, _ = supervisor.recvmsg(MAX_PACKET_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        # It has gone without reading all that we said.
        return None
    descriptors = array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if not packet:
        return None
    if not descriptors and (other := next(iter(json.loads(packet)))) in ("retire", "recall", "kill"):
        return str(other)
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(descriptors) != 1:
        raise ValueError(
            f"a packet of {len(packet)} bytes with {len(descriptors)} descriptors from the supervisor"
        )
    order: dict[str, Any] = json.loads(packet)["session"]
    return Client(
        descriptors[0],
        supervisor.fileno(),
        order["roots"],
        order["modules"],
        order["client"],
        order.get("served"),
        order.get("shared_memory", False),
        order.get("asked_modules", ()),
    )


def _reap(supervisor: socket.socket) -> bool:
    """Takes leave of every child that has ended: one signal may stand for several. False: there is none left."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        if ended is None:
            return True
        # As long as nobody has waited for it, the number of the session's group can be no other's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ended.si_pid, signal.SIGKILL)
        pid, status = os.waitpid(ended.si_pid, 0)
        _tell(supervisor, {"ended": pid, "status": status})


def _refuse(client: int, message: str) -> None:
    """Tells a client that it gets no session, and closes its socket."""
    with socket.socket(fileno=client) as connection:
        try:
            connection.send(_native.refusal(message, True), socket.MSG_DONTWAIT)
        except OSError as error:
            print(f"tortoise: a client left before it could be refused: {error}", file=sys.stderr)


def _tell(supervisor: socket.socket, message: dict[str, Any]) -> None:
    try:
        supervisor.send(json.dumps(message).encode())
    except (BrokenPipeError, ConnectionResetError):
        # It has gone: the next read says so, and ends the zygote.
        pass


def _ignore(_signal: int, _frame: object) -> None:
    """Does nothing: that the signal came is what counts."""
