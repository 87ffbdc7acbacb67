"""What a session and the process of the shared objects say to each other.

Over a stream socket, in frames: the length as 4 bytes, little-endian, and values as `shared_values` writes
them.

    session → holder    version, class roots                                     once
    holder → session    "ready"                                                  once: what comes now is read
    session → holder    operation, object's name, member, operand, named         for each call
    holder → session    "value", value
                        "function"                          an attribute that can be called, and is no value
                        "raised", class, message, arguments or None, traceback
                        "absent"                            there is no such object; nothing was run
                        "ended"                             the process ends; nothing was run

The member is the name of a method or an attribute, or a key; the operand is the list of arguments of a call,
or the new value of what the member says. `open` has the class as its member and the arguments of the
constructor as its operand, and gives the description of the object's class (`shared_classes`). The class is a
PHP name, or a list of a module, a name in it, and the module's file or None.
"""

import select
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tortoise_worker import _native, shared_errors, shared_values

VERSION: Final = 1

_HEAD = struct.Struct("<I")

# Bytes that are asked of the system at once.
_PART_BYTES: Final = 1 << 20


class LostError(Exception):
    """The other side is gone. What was asked last may have been done."""


def request(
    operation: str,
    name: str,
    member: object = None,
    operand: object = None,
    named: Mapping[str, object] | None = None,
    *,
    root: str = "args",
) -> list[bytes]:
    """The frame of a request. `root` is what the operand is called in an error.

    Raises `ConversionError` for what is no value.
    """
    return frame(
        shared_values.encode(operation, "operation"),
        shared_values.encode(name, "name"),
        shared_values.encode(member, "key"),
        shared_values.encode(operand, root),
        shared_values.encode(dict(named or {}), "kwargs"),
    )


def answer(word: str, *values: object, root: str = "return value") -> list[bytes]:
    """The frame of an answer. Raises `ConversionError` for what is no value."""
    return frame(*(shared_values.encode(value, root) for value in (word, *values)))


def raised(exception: BaseException) -> list[bytes]:
    """The frame that tells of an exception."""
    name, message, arguments, traceback = shared_errors.told(exception)
    try:
        return answer("raised", name, message, arguments, traceback)
    except shared_errors.ConversionError:
        return answer("raised", name, message, None, traceback)


def frame(*values: bytes) -> list[bytes]:
    """Encoded values as a frame, in pieces. Raises `ConversionError` if they are too long for one."""
    length = sum(map(len, values))
    if length > _native.MAX_FRAME_BYTES:
        raise shared_errors.ConversionError(
            f"too large: a message to or from a shared object has at most {_native.MAX_FRAME_BYTES} bytes"
        )
    return [_HEAD.pack(length), *values]


def content(pieces: Sequence[bytes]) -> list[Any]:
    """The values in a frame that was made here."""
    return shared_values.decode(b"".join(pieces[1:]))


def send(connection: socket.socket, pieces: Sequence[bytes]) -> None:
    """Sends a frame. Raises `LostError`; then not all of it has been read, and nothing was done."""
    try:
        connection.sendall(b"".join(pieces))
    except (BrokenPipeError, ConnectionResetError) as error:
        raise LostError from error


def receive(connection: socket.socket) -> list[Any] | None:
    """The values of the next frame; None if the other side has ended.

    Raises `LostError` if it ends in the middle of one, and `ValueError` for what is none.
    """
    head = _exactly(connection, _HEAD.size)
    if head is None:
        return None
    (length,) = _HEAD.unpack(head)
    if length > _native.MAX_FRAME_BYTES:
        raise LostError(f"a frame of {length} bytes is over the limit of {_native.MAX_FRAME_BYTES}")
    content = _exactly(connection, length)
    if content is None:
        raise LostError
    return shared_values.decode(content)


def is_alive(connection: socket.socket) -> bool:
    """Whether nothing has come from the other side, not even its end, while nothing was asked."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    """So many bytes; None if there are none at all. Raises `LostError` if there are fewer."""
    parts: list[bytes] = []
    left = length
    while left:
        try:
            part = connection.recv(min(left, _PART_BYTES))
        except ConnectionResetError:
            part = b""
        if not part:
            if parts:
                raise LostError
            return None
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
