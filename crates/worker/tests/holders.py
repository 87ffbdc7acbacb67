"""A process of shared objects, and the supervisor between it and the sessions that a test plays."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from tortoise_worker.loader import Loader
from tortoise_worker.search_path import SearchPath
from tortoise_worker.shared_objects import Connections

_PROGRAM = """
import socket, sys
from tortoise_worker import shared_holder
line = socket.socket(fileno=int(sys.argv[1]))
shared_holder.run(line, float(sys.argv[2]), looks_at_files=sys.argv[3] == "True")
"""


class Session(Connections):
    """What a session has, with a look at its sockets."""

    def __init__(self, control: int, roots: list[str]) -> None:
        super().__init__(Loader(roots, SearchPath(is_shared=True)))
        self.begin(control, 7)
        self.sockets: list[socket.socket] = []

    def _connect(self) -> socket.socket | None:
        connection = super()._connect()
        if connection is not None:
            self.sockets.append(connection)
        return connection

    def hang_up(self) -> None:
        """Leaves in the middle of whatever it does."""
        for connection in self.sockets:
            connection.shutdown(socket.SHUT_RDWR)


class Holders:
    """Passes connections on to a process that it starts at first use, and anew when that has ended."""

    def __init__(self, log: Path, grace: float = 30, *, looks_at_files: bool = False) -> None:
        self._log = log
        self._grace = grace
        self._looks_at_files = looks_at_files
        self.started: list[subprocess.Popen[bytes]] = []
        self._line: socket.socket | None = None
        self._ours, self.control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._pass_on)
        self._thread.start()

    def session(self, *roots: Path) -> Session:
        """A session that searches these class roots."""
        return Session(self.control.fileno(), [str(root) for root in roots])

    def log(self) -> str:
        """What the processes have written."""
        return self._log.read_text() if self._log.exists() else ""

    def leave(self) -> None:
        """Ends all of it."""
        self.control.close()
        self._thread.join()
        if self._line is not None:
            self._line.close()
        for process in self.started:
            process.wait(30)

    def _pass_on(self) -> None:
        with self._ours:
            while True:
                packet, descriptors, _, _ = socket.recv_fds(self._ours, 1 << 16, 1)
                if not packet:
                    return
                packet = packet.replace(b'"share"', b'"shared"')
                while not self._sent(packet, descriptors):
                    self._start()
                os.close(descriptors[0])

    def _sent(self, packet: bytes, descriptors: list[int]) -> bool:
        if self._line is None:
            return False
        try:
            socket.send_fds(self._line, [packet], descriptors)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _start(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log: IO[bytes]
        with theirs, self._log.open("ab") as log:
            command = [
                sys.executable,
                "-c",
                _PROGRAM,
                str(theirs.fileno()),
                str(self._grace),
                str(self._looks_at_files),
            ]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
            self.started.append(
                subprocess.Popen(
                    command, pass_fds=[theirs.fileno()], stderr=log, env=environment, start_new_session=True
                )
            )
