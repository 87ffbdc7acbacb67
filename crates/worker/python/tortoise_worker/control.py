"""What the supervisor and the zygote say to each other: one packet of the control socket is one JSON object.

zygote → supervisor   {"ready": {"pid": 7, "python": "3.11.2", "product": "0.1.0", "warnings": [...]}}
                      {"started": 8, "client": 5, "process": 8}
                      {"failed": "the message", "client": 5}
                      {"ended": 8, "status": 9, "requests": 2, "calls": 7, "recycled": false}
                      with the raw status of `waitpid`, and what the session's slot of the board showed
session → supervisor  {"overdue": 8, "process": 8, "client": 5}
                      its client left in mid-call, which is interrupted
                      {"changed": "/a/file.py"}: a preloaded file has changed
                      {"share": {"client": 5}} with a socket for the process of the shared objects
supervisor → zygote   {"session": {"roots": [...], "modules": [...], "client": 5}}
                      with the client's socket as the one descriptor that comes along, and
                      "served": [["/canonical", "/as/set"], ...] unless the client may search any root,
                      "shared_memory": true if the client takes it,
                      "asked_modules": [...] if the client narrows "modules",
                      "stale": true if a reload has failed, so that preloaded files may have changed
                      {"shared": {"client": 5}} with what came beside "share"
                      {"retire": {}}: no more sessions come; those that are there retire, and the zygote ends
                      {"recall": 8}: the session of this process retires
                      {"kill": 8}: the session of this process, and all that it started, ends at once
"""

import json
import os
import socket
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise_worker import _native

# Roots and patterns at their limits are some 100 KiB; the supervisor sends no longer packets.
MAX_PACKET_BYTES = 1 << 18

# One is right; the room for more is there to close what should not have come.
MAX_DESCRIPTORS = 8

# Kept: to ask the system for so much each time would take longer than the packet.
_BUFFER = memoryview(bytearray(MAX_PACKET_BYTES))

# An order or a report: one key, which says what, and its value.
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """A client whose hello the supervisor has read, as the session's process gets it."""

    socket: int
    """The descriptor of its stream socket, blocking."""
    roots: Sequence[str]
    """Class roots, in the order in which they are searched."""
    modules: Sequence[str]
    """Patterns of modules that the client may open."""
    process: int
    """The process id of the PHP process, for the log."""
    served: list[list[str]] | None = None
    """Among which class roots the client can choose, each in both its spellings; None: among all."""
    shared_memory: bool = False
    """Whether the client takes shared memory."""
    asked_modules: Sequence[str] = ()
    """Patterns by which the client narrows those in `modules`; none: it does not."""
    is_stale: bool = False
    """Whether a reload has failed: preloaded files that have changed are known."""

    @classmethod
    def of(cls, order: Mapping[str, Any], descriptor: int) -> "Client":
        """The one that an order is about, and whose socket came along."""
        os.set_blocking(descriptor, True)
        return cls(
            descriptor,
            order["roots"],
            order["modules"],
            order["client"],
            order.get("served"),
            order.get("shared_memory", False),
            order.get("asked_modules", ()),
            order.get("stale", False),
        )


def receive(peer: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next packet of a peer, and the descriptors beside it; None if it has gone.

    Raises `ValueError` if it is not whole.
    """
    room = socket.CMSG_SPACE(MAX_DESCRIPTORS * array("i").itemsize)
    try:
        length, ancillary, flags, _ = peer.recvmsg_into([_BUFFER], room, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        # It has gone without reading all that we said.
        return None
    descriptors = array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if not length:
        return None
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ValueError(f"a packet that is cut after {length} bytes and {len(descriptors)} descriptors")
    return bytes(_BUFFER[:length]), list(descriptors)


def read(packet: bytes) -> Message:
    """What a packet says. Raises `ValueError` if it says nothing."""
    message = json.loads(packet)
    if type(message) is not dict or not message:
        raise ValueError(f"a packet of {len(packet)} bytes that says nothing")
    return message


def tell(peer: socket.socket, message: Message) -> None:
    """Says something to a peer. One that has gone is told nothing: the next read says so."""
    try:
        peer.send(json.dumps(message).encode())
    except (BrokenPipeError, ConnectionResetError):
        pass


def refuse(client: int, message: str) -> None:
    """Tells a client that it gets no session, and closes its socket."""
    with socket.socket(fileno=client) as connection:
        try:
            connection.send(_native.refusal(message, True), socket.MSG_DONTWAIT)
        except OSError as error:
            print(f"tortoise: a client left before it could be refused: {error}", file=sys.stderr)
