"""PHP processes that are the clients of one peer, and run a workload at the same time."""

import json
import os
import select
import subprocess
from contextlib import ExitStack
from statistics import median
from types import TracebackType
from typing import Any, Self

from .peers import Serving, php
from .processes import Unavailable, environment, pinned
from .samples import Sample
from .settings import FOLDER

PATIENCE_SECONDS = 120


class Fleet:
    """Clients of one peer. They end with the `with` block."""

    def __init__(self, program: str, peer: str, serving: Serving, count: int, cpus: str = "") -> None:
        """Start them on some CPUs, as `taskset` takes them."""
        command = [*php(program, serving.ini), str(FOLDER / "php" / "client.php"), peer, serving.address]
        self._peer = peer
        self._server = serving.server
        self._clients = ExitStack()
        self._processes = [
            self._clients.enter_context(
                subprocess.Popen(
                    pinned(command, cpus), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
                )
            )
            for _ in range(count)
        ]

    def measure(self, workload: str, clients: int, place: str, seconds: float) -> Sample:
        """Let so many clients repeat a workload, all at once.

        The median is that of the clients' medians, the 99th percentile the worst client's.
        """
        # One after another, so that a slow start of many is not one of each.
        for client in self._processes[:clients]:
            self._tell([client], f"prepare {workload}")
        before = self._server.cpu_seconds() if self._server else 0.0
        answers = self._tell(self._processes[:clients], f"run {seconds}")
        after = self._server.cpu_seconds() if self._server else 0.0
        count = sum(answer["count"] for answer in answers)
        return Sample(
            self._peer,
            workload,
            clients,
            place,
            p50=median(answer["p50"] for answer in answers),
            p99=max(answer["p99"] for answer in answers),
            rate=sum(answer["rate"] for answer in answers),
            client_cpu=sum(answer["cpu"] * answer["count"] for answer in answers) / count,
            server_cpu=(after - before) * 1e6 / count,
        )

    def _tell(self, clients: list[subprocess.Popen[str]], line: str) -> list[dict[str, Any]]:
        for client in clients:
            assert client.stdin is not None
            try:
                client.stdin.write(line + "\n")
                client.stdin.flush()
            except BrokenPipeError:
                raise Unavailable("a client ended; what it said stands above") from None
        return [self._answer(client) for client in clients]

    def _answer(self, client: subprocess.Popen[str]) -> dict[str, Any]:
        assert client.stdout is not None
        if not select.select([client.stdout], [], [], PATIENCE_SECONDS)[0]:
            raise Unavailable(f"a client did not answer within {PATIENCE_SECONDS} seconds")
        line = client.stdout.readline()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise Unavailable(f"a client said: {line.strip() or 'nothing, and ended'}") from None
        if "error" in answer:
            raise Unavailable(answer["error"])
        return answer

    def kill(self) -> None:
        """End them at once."""
        for process in self._processes:
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.kill()
        # The end of its input is a client's end.
        self._clients.close()


def hogs(count: int) -> ExitStack:
    """Start processes that take all the CPU they can get, and return what ends them."""
    stack = ExitStack()
    for _ in range(count):
        process = subprocess.Popen(["sh", "-c", "while :; do :; done"], stdin=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
    return stack


def first_cpus(count: int) -> str:
    """Return the first of the CPUs that we may use, as `taskset` takes them."""
    return ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0))[:count])
