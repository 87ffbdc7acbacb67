"""The two peers of a worker, played by the test: the supervisor on the control socket, PHP on a stream."""

import fcntl
import json
import mmap
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wire

# Where the built module stands beside the Python package; the folder that the supervisor starts a worker in.
LIBRARY = Path(os.environ["TORTOISE_LIBRARY"])

# The interpreter that plays the user's; by default the one that runs the tests.
PYTHON = os.environ.get("TORTOISE_TEST_PYTHON", sys.executable)

# A peer that says nothing for so long has failed; nothing is ever waited for in vain when all is well.
PATIENCE = 30.0

# What a description is made of, in the order of the wire.
FIELDS = (
    *("name", "module", "qualified_name", "file", "line", "documentation", "traits"),
    *("bases", "constants", "methods", "properties"),
)


class Supervisor:
    """Starts a zygote and gives it clients."""

    def __init__(
        self, *arguments: str, directory: Path | None = None, slots: int = 0, **settings: Any
    ) -> None:
        """With `slots` there is a board; `settings` are those of the worker."""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(PATIENCE)
        inherited = [theirs.fileno()]
        os.set_inheritable(theirs.fileno(), True)
        self.board = Board(slots) if slots else None
        if self.board is not None:
            arguments = (*arguments, "--board", str(self.board.descriptor))
            inherited.append(self.board.descriptor)
        if settings:
            arguments = (*arguments, "--settings", json.dumps(settings))
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
        if directory is not None:
            arguments = (*arguments, "--directory", str(directory))
        self.process = subprocess.Popen(
            [PYTHON, "-m", "tortoise_worker", "--control", str(theirs.fileno()), *arguments],
            cwd=LIBRARY,
            env=environment,
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        self.output = b""
        self._heard: list[dict[str, Any]] = []
        self.ready: dict[str, Any] = self.hear("ready")["ready"]

    def hear(self, *kinds: str, **values: Any) -> dict[str, Any]:
        """The first packet of one of these kinds with these values; others are kept."""

        def is_it(message: dict[str, Any]) -> bool:
            return next(iter(message)) in kinds and values.items() <= message.items()

        for number, message in enumerate(self._heard):
            if is_it(message):
                return self._heard.pop(number)
        while True:
            packet = self.control.recv(1 << 16)
            assert packet, f"the worker has gone after {self._heard}"
            message = json.loads(packet)
            if is_it(message):
                return message
            self._heard.append(message)

    def has_heard(self, kind: str) -> bool:
        """Whether a packet of this kind has come that nobody has asked for."""
        return any(kind in message for message in self._heard)

    def status_of(self, pid: int) -> int:
        """The raw status with which a session's process ended; waits for it."""
        status: int = self.hear("ended", ended=pid)["status"]
        return status

    def order(self, **order: Any) -> None:
        """Gives an order without a descriptor."""
        self.control.send(json.dumps(order).encode())

    def client(self, *roots: Path | str, modules: Sequence[str] = (), **others: Any) -> "Client":
        """A client with a session of its own. `others` are further words of the order."""
        ours, theirs = socket.socketpair()
        paths = [str(root) for root in roots]
        session = {"roots": paths, "modules": list(modules), "client": os.getpid(), **others}
        socket.send_fds(self.control, [json.dumps({"session": session}).encode()], [theirs.fileno()])
        theirs.close()
        started = self.hear("started", "failed")
        assert started["client"] == os.getpid(), started
        return Client(ours, started["started"])

    def leave(self) -> tuple[str, str]:
        """Hangs up, waits for the end, and gives what came on standard output and error."""
        self.control.close()
        out, error = self.process.communicate(timeout=PATIENCE)
        return (self.output + out).decode(), error.decode()

    def read_line(self) -> str:
        """A line of standard output."""
        assert self.process.stdout is not None
        while b"\n" not in self.output:
            readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            part = os.read(self.process.stdout.fileno(), 1 << 16) if readable else b""
            assert part, f"no line of output came behind {self.output!r}"
            self.output += part
        line, _, self.output = self.output.partition(b"\n")
        return line.decode() + "\n"


@dataclass(frozen=True)
class Seen:
    """What a slot of the board shows."""

    process: int
    thread: int
    client: int
    activity: str
    requests: int
    since: int
    steps: int
    resident: int


class Board:
    """What the supervisor makes for a worker, and looks at."""

    LAYOUT = struct.Struct("=IIQIIQQQ16x")
    ACTIVITIES = ("free", "spare", "idle", "busy", "leaving")

    def __init__(self, slots: int) -> None:
        self.descriptor = os.memfd_create("board", os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, slots * self.LAYOUT.size)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals)
        self.memory = mmap.mmap(self.descriptor, 0)

    def seen(self) -> list[Seen]:
        """The slots that somebody has."""
        cells = list(self.LAYOUT.iter_unpack(self.memory))
        return [Seen(*cell[:3], self.ACTIVITIES[cell[3]], *cell[4:]) for cell in cells if cell[3]]

    def of(self, process: int) -> Seen:
        """The slot of a process."""
        [seen] = [seen for seen in self.seen() if seen.process == process]
        return seen


@dataclass(frozen=True)
class Raised:
    """A Python exception as PHP is told."""

    object: wire.Object
    class_name: str
    message: str
    file: str | None
    line: int
    traceback: str
    php: int
    frames: list[list[Any]]
    """Of the traceback: function, class or None, file, line; the innermost first."""


class FailedError(Exception):
    """The session answered with a failure."""

    def __init__(self, payload: bytes) -> None:
        [[category, ran, message, exceptions]] = wire.unpack(payload)
        super().__init__(message)
        self.category = ("python", "access", "conversion", "stale", "protocol")[category]
        self.ran = bool(ran)
        self.message: str = message
        self.exceptions = [Raised(*place, text, php, frames) for *place, (text, frames), php in exceptions]


@dataclass(frozen=True)
class Asked:
    """A callback of the session."""

    kind: int
    call: int
    parent: int
    thread: int
    values: list[Any]


@dataclass(frozen=True)
class Described:
    """The answer to a `Describe`."""

    class_id: int
    fingerprint: bytes
    bases: list[int]
    description: list[Any] | None

    @property
    def fields(self) -> dict[str, Any]:
        """The description by names, with its lists of pairs as dicts."""
        assert self.description is not None
        fields = dict(zip(FIELDS, self.description, strict=True))
        fields["constants"] = dict(fields["constants"])
        fields["properties"] = dict(fields["properties"])
        fields["methods"] = {method[0]: method[1:] for method in fields["methods"]}
        return fields


class Client:
    """What the extension is to a session."""

    def __init__(self, stream: socket.socket, session: int) -> None:
        self.stream = stream
        self.stream.settimeout(PATIENCE)
        self.session = session
        self.last_call = 0
        self.last_object = -1
        self.releases: list[int] = []
        # Whether the client has something for integers of more than 64 bits.
        self.takes_big_integers = False
        # What the session let go of, with counts.
        self.released: list[tuple[int, int]] = []
        self.parent = self.thread = 0
        # Of the last answer, as it came.
        self.payload, self.bulk = b"", b""
        kind, call, payload = self.receive()
        assert (kind, call) == (wire.WELCOME, 0)
        [self.welcome] = wire.unpack(payload)

    def send(
        self,
        kind: int,
        *values: Any,
        call: int | None = None,
        raw: bytes = b"",
        parent: int = 0,
        flags: int = 0,
    ) -> int:
        """Sends a frame, and gives the id of the call."""
        if call is None:
            self.last_call += 1
            call = self.last_call
        bulk: list[bytes] = []
        payload = b"".join(wire.pack(value, bulk) for value in values) + raw
        flags |= wire.FLAG_BIG_INTEGERS if self.takes_big_integers else 0
        if self.releases:
            payload, self.releases = wire.pack(self.releases) + payload, []
            flags |= wire.FLAG_RELEASES
        segments = b"".join(bulk)
        header = wire.HEADER.pack(len(payload), kind, flags, 0, call, parent, 0, len(segments))
        self.stream.sendall(header + payload + segments)
        return call

    def receive(self) -> tuple[int, int, bytes]:
        """The next frame: kind, call and payload. The segments behind it are in `bulk`."""
        length, kind, flags, _, call, self.parent, self.thread, segments = wire.HEADER.unpack(
            self.read(wire.HEADER.size)
        )
        payload, self.bulk = self.read(length), self.read(segments)
        if flags & wire.FLAG_RELEASES:
            numbers, payload = wire.unpack_first(payload)
            self.released += zip(numbers[::2], numbers[1::2], strict=True)
        return kind, call, payload

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        data = b""
        while len(data) < count:
            part = self.stream.recv(min(count - len(data), 1 << 20))
            if not part:
                raise ConnectionError(f"the session closed the connection after {len(data)} of {count} bytes")
            data += part
        return data

    def ask(self, kind: int, *values: Any) -> Any:
        """Sends a request and gives the value that answers it."""
        return self.answer(self.send(kind, *values))

    def answer(self, sent: int) -> Any:
        """The value that answers a call, which must be the next frame."""
        answer, call, payload = self.receive()
        self.payload = payload
        assert call == sent
        if answer == wire.FAILURE:
            raise FailedError(payload)
        assert answer in (wire.DESCRIBED, wire.VALUE)
        if answer == wire.DESCRIBED:
            return Described(*wire.unpack(payload)[0])
        values = wire.unpack(payload, self.bulk)
        return values[0] if len(values) == 1 else values

    def describe(self, selector: str | int, held: bytes | None = None) -> Described:
        """Asks for a class."""
        answer = self.ask(wire.DESCRIBE, selector, held)
        assert isinstance(answer, Described)
        return answer

    def new(self, selector: str | int, *args: Any, **kwargs: Any) -> wire.Object:
        """Makes an object."""
        class_id = self.describe(selector).class_id if isinstance(selector, str) else selector
        self.last_object += 2
        answer = self.ask(wire.CONSTRUCT, class_id, self.last_object, list(args), kwargs)
        assert isinstance(answer, wire.Object)
        return answer

    def call(self, target: wire.Object | int, method: str, *args: Any, **kwargs: Any) -> Any:
        """Calls a method, or the object itself by an empty name."""
        return self.ask(wire.CALL, _id(target), method, list(args), kwargs)

    def get(self, target: wire.Object | int, name: str) -> Any:
        """Reads an attribute."""
        return self.ask(wire.GET, _id(target), name)

    def set(self, target: wire.Object | int, name: str, value: Any) -> None:
        """Writes an attribute."""
        assert self.ask(wire.SET, _id(target), name, value) is None

    def has(self, target: wire.Object | int, name: str, question: int) -> bool:
        """Asks after an attribute: 0 is set, 1 can be called, 2 exists."""
        answer = self.ask(wire.HAS, _id(target), name, question)
        assert isinstance(answer, bool)
        return answer

    def delete(self, target: wire.Object | int, name: str) -> None:
        """Deletes an attribute."""
        assert self.ask(wire.DELETE, _id(target), name) is None

    def begin(
        self, target: wire.Object | int, method: str, *args: Any, parent: int = 0, **kwargs: Any
    ) -> int:
        """Calls a method, and does not wait."""
        return self.send(wire.CALL, target.id, method, list(args), kwargs, parent=parent)

    def begin_async(
        self, target: wire.Object, method: str, *args: Any, parent: int = 0, **kwargs: Any
    ) -> int:
        """Calls a method whose answer may come at any time."""
        flags = wire.FLAG_ASYNC
        return self.send(wire.CALL, target.id, method, list(args), kwargs, parent=parent, flags=flags)

    def cancel(self, call: int) -> None:
        """Says that a call is not wanted any more."""
        self.send(wire.CANCEL, call, call=0)

    def asked(self) -> Asked:
        """What the session asks now."""
        kind, call, payload = self.receive()
        if kind == wire.FAILURE:
            raise FailedError(payload)
        return self._asked(kind, call, payload)

    def run(self, sent: int, php: Callable[[Asked], Any]) -> Any:
        """The value that answers a call, in which `php` answers what the session asks."""
        while True:
            kind, call, payload = self.receive()
            if kind < wire.PHP_CALL:
                assert call == sent
                if kind == wire.FAILURE:
                    raise FailedError(payload)
                [value] = wire.unpack(payload, self.bulk)
                return value
            asked = self._asked(kind, call, payload)
            self.returns(asked, php(asked))

    def _asked(self, kind: int, call: int, payload: bytes) -> Asked:
        assert kind >= wire.PHP_CALL, (kind, payload)
        return Asked(kind, call, self.parent, self.thread, wire.unpack(payload, self.bulk))

    def returns(self, asked: Asked, value: Any) -> None:
        """Answers a callback."""
        self.send(wire.RETURNED, value, call=asked.call)

    def throws(self, asked: Asked, thrown: Any) -> None:
        """Answers a callback with what went wrong."""
        self.send(wire.THREW, thrown, call=asked.call)

    def release(self, target: wire.Object | int, count: int = 1) -> None:
        """Lets go of an object; said with the next frame."""
        self.releases += [_id(target), count]

    def ends(self) -> bool:
        """Waits until the session closes the connection; whether it did without another word."""
        return self.stream.recv(1) == b""

    def leave(self) -> None:
        """Hangs up."""
        self.stream.close()


def wait_for_end(pid: int) -> None:
    """Waits for the end of a process that may be nobody's child of ours."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable, _, _ = select.select([process], [], [], PATIENCE)
        assert readable, f"process {pid} is still there"
    finally:
        os.close(process)


def eventually(condition: Callable[[], bool]) -> None:
    """Waits for what another process is about to do, where it tells nobody: we look."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.001)


def _id(target: wire.Object | int) -> int:
    return target.id if isinstance(target, wire.Object) else target


def php_class(
    name: str,
    parents: Sequence[str] = (),
    methods: Sequence[str] | dict[str, int] = (),
    properties: dict[str, int] | None = None,
) -> bytes:
    """The description of a PHP class: its methods may have flags, its properties do."""
    described = methods if isinstance(methods, dict) else dict.fromkeys(methods, 0)
    fields = (name, 0, list(parents), members(described), members(properties or {}))
    return b"".join(wire.pack(field) for field in fields)


def members(flags: dict[str, int]) -> list[str | int]:
    """Names and flags as the wire has them."""
    return [field for member in flags.items() for field in member]


def php_object(
    number: int,
    *traits: str,
    class_id: int,
    name: str = "Basket",
    parents: Sequence[str] = (),
    methods: Sequence[str] = (),
) -> wire.PhpObject:
    """A PHP object with the description of its class."""
    bits = sum(1 << wire.PHP_TRAITS.index(trait) for trait in traits)
    return wire.PhpObject(number, class_id, bits, php_class(name, parents, methods))


CLOSURE = php_class("Closure", (), ["__invoke", "bindTo", "call"])


def closure(number: int) -> wire.PhpObject:
    """A closure, with the description of its class each time."""
    return wire.PhpObject(number, 99, 0b100_0001, CLOSURE)


def lines(*text: str) -> str:
    """A source text of lines."""
    return "\n".join(text) + "\n"


__all__: Sequence[str] = [
    "Asked",
    "Client",
    "Described",
    "FailedError",
    "Raised",
    "Supervisor",
    "closure",
    "eventually",
    "lines",
    "members",
    "php_class",
    "php_object",
    "wait_for_end",
]
