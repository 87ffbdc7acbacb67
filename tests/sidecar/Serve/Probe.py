"""What the tests of the sidecar ask a session to do."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable


class Serve_Probe:
    """Prints, forks, and tells what became of it."""

    def pid(self) -> int:
        """The process of the session."""
        return os.getpid()

    def say(self, line: str) -> str:
        """Writes in every way there is, and gives the line back."""
        print(f"print: {line}")
        print(f"error: {line}", file=sys.stderr)
        os.write(1, f"fd 1: {line}\n".encode())
        os.write(2, f"fd 2: {line}\n".encode())
        subprocess.run(["echo", f"child: {line}"], check=True)
        return line

    def flood(self, megabytes: int) -> int:
        """Prints without end, nearly."""
        for _ in range(megabytes):
            os.write(1, b"x" * 1023 + b"\n" + (b"y" * 1023 + b"\n") * 1023)
        return megabytes

    def binary(self) -> str:
        """Writes bytes that are no text, and control characters."""
        os.write(1, b"\x00\xff\x1b[2Jend of bytes\n")
        return "done"

    def fork(self) -> list[int]:
        """Forks a process that tries to answer in our place, and one that comes back from this method."""
        statuses = []
        for leave in (lambda: os._exit(7), lambda: None):
            child = os.fork()
            if child == 0:
                write_to_every_socket()
                leave()
                return [0xBAD]
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        return statuses

    def run_pool(self) -> list[int]:
        """Works in processes that multiprocessing forks."""
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(abs, [-1, -2, -3])

    def sockets_of_child(self) -> str:
        """How many sockets a subprocess inherits."""
        code = """
import os
numbers = os.listdir("/proc/self/fd")
print(sum("socket" in os.readlink(f"/proc/self/fd/{n}") for n in numbers if os.path.exists(f"/proc/self/fd/{n}")))
"""
        return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    def leave_behind(self) -> int:
        """Starts a process that outlives this call."""
        return subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL).pid

    def environment(self) -> dict[str, str]:
        """The folder and the umask of the session."""
        mask = os.umask(0)
        os.umask(mask)
        return {"folder": os.getcwd(), "mask": oct(mask)}


def write_to_every_socket(leave: Callable[[], None] | None = None) -> None:
    """What a careless child might do."""
    for entry in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                os.write(int(entry), b"\x00" * 64)
        except OSError:
            continue
