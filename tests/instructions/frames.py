"""Frames of a real conversation between PHP and a session: recorded by a relay, and replayed to one side of it."""

import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

HEADER = struct.Struct(">IBBHQQII")
HELLO, WELCOME, RELEASE, END_REQUEST = 0x01, 0x02, 0x1E, 0x1F

# A peer that says nothing for so long has failed.
PATIENCE = 60.0


class Stream:
    """A connection, read frame by frame."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(PATIENCE)

    def read(self) -> bytes:
        """The next whole frame with its segments; empty at the end of the connection."""
        head = self._exactly(HEADER.size)
        if not head:
            return b""
        payload, *_, segments = HEADER.unpack(head)
        return head + self._exactly(payload + segments)

    def write(self, frame: bytes) -> None:
        self.socket.sendall(frame)

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                if data:
                    raise ConnectionError(f"the connection ended inside a frame, after {bytes(data[:32]).hex()}")
                return b""
            data += part
        return bytes(data)


def kind_of(frame: bytes) -> int:
    """What a frame says."""
    return frame[4]


def is_answered(frame: bytes) -> bool:
    """Whether a client's frame gets an answer."""
    return kind_of(frame) not in (RELEASE, END_REQUEST)


Conversation = list[tuple[bytes, bytes]]
"""A client's frames, each with its answer; empty where there is none."""


def listen(folder: Path) -> tuple[socket.socket, str]:
    """A socket to be connected to, and its address for PHP."""
    listener = socket.socket(socket.AF_UNIX)
    path = folder / "client.sock"
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    listener.listen()
    listener.settimeout(PATIENCE)
    return listener, f"unix://{path}"


def record(php: Sequence[str], sidecar: Path, folder: Path) -> Conversation:
    """Runs PHP against the sidecar's socket and gives what both said. `php` is a command that lacks its server."""
    listener, address = listen(folder)
    process = start_php(php, address)
    client = Stream(listener.accept()[0])
    session = Stream(socket.socket(socket.AF_UNIX))
    session.socket.connect(str(sidecar))
    conversation: Conversation = []
    while frame := client.read():
        session.write(frame)
        answer = session.read() if is_answered(frame) else b""
        if answer:
            client.write(answer)
        conversation.append((frame, answer))
    finish(process)
    return conversation


def replay_to_php(php: Sequence[str], conversation: Conversation, folder: Path) -> None:
    """Runs PHP against the recorded answers; it must ask what it asked then."""
    listener, address = listen(folder)
    process = start_php(php, address)
    client = Stream(listener.accept()[0])
    for recorded, answer in conversation:
        frame = client.read()
        if kind_of(frame) != HELLO and frame != recorded:
            raise ValueError(f"PHP sends {frame[:64].hex()} where it sent {recorded[:64].hex()} before")
        if answer:
            client.write(answer)
    if client.read():
        raise ValueError("PHP sends more than before")
    finish(process)


def replay_to_session(command: Sequence[str], conversation: Conversation, environment: dict[str, str]) -> None:
    """Runs a session, a command that gets two descriptors, on the recorded requests; it must answer as it did then."""
    client, theirs = socket.socketpair()
    control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    descriptors = (theirs.fileno(), far.fileno())
    process = subprocess.Popen(
        [*command, *map(str, descriptors)], pass_fds=descriptors, env=environment, stdin=subprocess.DEVNULL
    )
    theirs.close()
    far.close()
    stream = Stream(client)
    if kind_of(stream.read()) != WELCOME:
        raise ValueError("the session does not greet")
    for frame, answer in conversation[1:]:
        stream.write(frame)
        if answer and kind_of(found := stream.read()) != kind_of(answer):
            raise ValueError(f"the session answers {found[:64].hex()} where it answered {answer[:64].hex()} before")
    client.close()
    finish(process)
    control.close()


def start_php(php: Sequence[str], address: str) -> "subprocess.Popen[bytes]":
    program, *arguments = php
    return subprocess.Popen([program, *arguments[:-3], "-d", f"tortoise.server={address}", *arguments[-3:]])


def finish(process: "subprocess.Popen[bytes]") -> None:
    if status := process.wait(PATIENCE):
        raise RuntimeError(f"{process.args!r} ended with {status}")


class Sidecar:
    """A sidecar that serves a folder of classes on a socket."""

    def __init__(self, binary: Path, classes: Path, python: str, folder: Path) -> None:
        self.socket = folder / "sidecar.sock"
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", f"unix://{self.socket}", "--path", classes, "--python", python],
            stderr=subprocess.PIPE,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if b"ready: listening" in line:
                return
        raise RuntimeError("the sidecar did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
