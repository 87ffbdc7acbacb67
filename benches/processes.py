"""Servers that run beside the benchmark, and the CPU time that they have taken."""

import os
import re
import subprocess
import threading
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 30
STOP_SECONDS = 10


class Unavailable(Exception):
    """Something cannot be measured here. The message says why, and what to do."""


class Server:
    """A process that says when it is ready. Ends with the `with` block."""

    def __init__(self, command: list[str], ready: str, cpus: str = "", log: Path | None = None) -> None:
        """Start it on some CPUs, as `taskset` takes them, and wait for a line that matches.

        What it says goes into the log, if there is one.
        """
        self.line = ""
        self._log = log
        self._last = ""
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            pinned(command, cpus),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment(),
        )
        # The pipe is read as long as the server lives, or a server that logs much would stand still.
        self._reader = threading.Thread(target=self._read, args=(re.compile(ready),), daemon=True)
        self._reader.start()
        self._ready.wait(START_SECONDS)
        if not self.line:
            self.stop()
            raise Unavailable(f"{Path(command[0]).name} did not start: {self._last or 'it said nothing'}")

    def _read(self, ready: re.Pattern[str]) -> None:
        assert self._process.stdout is not None
        with self._log.open("a", buffering=1, encoding="utf-8") if self._log else nullcontext() as log:
            for line in self._process.stdout:
                if log:
                    log.write(line)
                if self.line:
                    continue
                self._last = line.strip() or self._last
                if ready.search(line):
                    self.line = line.strip()
                    self._ready.set()
        self._ready.set()

    def cpu_seconds(self) -> float:
        """CPU seconds that it and all its living descendants have taken."""
        return cpu_seconds(self._process.pid)

    def stop(self) -> None:
        """End it and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def pinned(command: list[str], cpus: str) -> list[str]:
    """Return the command, held to some CPUs unless they are empty."""
    return ["taskset", "--cpu-list", cpus, *command] if cpus else command


def environment() -> dict[str, str]:
    """Return our environment without what would change Tortoise's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TORTOISE_")}


def cpu_seconds(root: int) -> float:
    """CPU seconds of a process and its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        total += _nanoseconds(process)
    return total / 1e9


def _parent(process: Path) -> int | None:
    try:
        # The name in the brackets may hold anything.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _nanoseconds(process: int) -> int:
    """Of all its threads, by the scheduler's own count, which is finer than the ticks of `stat`."""
    total = 0
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    except OSError:
        # It has just ended.
        pass
    return total
