"""The line between the zygote and one process that it has forked: a private pair of sockets.

    zygote → process      {"session": {...}} with the client's socket: as the supervisor said it
                          {"shared": {...}} with a session's socket: the same, to who holds the shared objects
                          retire: leave between two requests of PHP
    process → zygote      recycled: it has served for long enough, and leaves

Of a process whose sessions are threads (`host.py`):

    zygote → process      the same, with "slot": 3 beside what the supervisor said
                          recall 9: the session of this thread is to leave between two requests of PHP
    process → zygote      the same, and
                          {"started": 9, "client": 5, "slot": 3}
                          {"failed": "the message", "client": 5, "slot": 3}
                          {"ended": 9, "client": 5, "slot": 3, "status": 0}

What is not JSON is a single word. The end of the line says that the other side is gone.
"""

import socket
from contextlib import suppress

from tortoise_worker import control
from tortoise_worker.control import Client

RETIRE = b"retire"
RECYCLED = b"recycled"
RECALL = b"recall "

# Bytes of a word, and room to see that it is none.
WORD_BYTES = 64


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a new line."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def hand_over(line: socket.socket, packet: bytes, descriptor: int) -> bool:
    """Gives a process what the supervisor said, and a socket: a session its client. False: it is gone."""
    try:
        socket.send_fds(line, [packet], [descriptor])
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def hear(line: socket.socket) -> bytes | None:
    """What a process has said; None if there is nothing, and nothing in it if it is gone."""
    try:
        return line.recv(control.MAX_PACKET_BYTES, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return b""


def say(line: socket.socket, word: bytes) -> None:
    """Says a word to the process. One that is gone, or has not heard so many before, need not hear it."""
    with suppress(BrokenPipeError, ConnectionResetError, BlockingIOError):
        line.send(word, socket.MSG_DONTWAIT)


def has_said(line: socket.socket, word: bytes) -> bool:
    """Whether the process, which has ended, has said a word and nothing before it."""
    try:
        return line.recv(WORD_BYTES, socket.MSG_DONTWAIT) == word
    except (BlockingIOError, ConnectionResetError):
        return False


def await_client(line: socket.socket) -> Client | None:
    """In a process that has none: its client. None: it is to leave, or the zygote is gone."""
    # A word is short, and no JSON; a look at it costs nothing beside the wait.
    if line.recv(WORD_BYTES, socket.MSG_PEEK) in (b"", RETIRE):
        return None
    received = control.receive(line)
    if received is None:
        return None
    packet, descriptors = received
    return Client.of(control.read(packet)["session"], *descriptors)
