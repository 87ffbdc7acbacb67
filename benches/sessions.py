"""`make bench-sessions`: what it takes a PHP process to come to its session, and the memory of one that is idle."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from . import machine, memory, report
from .hello import seconds_to_welcome
from .peers import Serving, fresh, php, sidecar
from .processes import Unavailable, environment
from .settings import FOLDER, Settings

CONNECT_GOAL = 2_000.0
"""Microseconds: from the connection to the welcome of a session that was waiting for its client."""

SPARE_SECONDS = 30.0
"""How long spare sessions may take to be there."""

REHEARSAL_SECONDS = 0.1
"""A spare session that has been there for so long is done with its preparations."""


@dataclass(frozen=True)
class Variant:
    """A way to set up the sidecar."""

    label: str
    settings: str
    """More lines of its settings file."""
    spares: int
    """How many forked sessions wait for clients."""

    @property
    def lines(self) -> str:
        """Lines of the settings file."""
        return f"spare_sessions = {self.spares}\n{self.settings}"


NUMPY = 'preload = ["numpy"]\n'

VARIANTS = (
    Variant("forked when the client comes", "", 0),
    Variant("a spare one waits", "", 2),
    Variant("forked, numpy preloaded", NUMPY, 0),
    Variant("a spare one, numpy preloaded", NUMPY, 2),
)


@dataclass(frozen=True)
class Result:
    """What was measured of a variant. Times are microseconds, memory is KiB of one session."""

    variant: Variant
    connects: list[float]
    """From the connection to the session's welcome."""
    calls: list[float]
    """Each PHP process's first call, connection included."""
    objects: list[float]
    """Each client's first object, of a class whose file no session has read yet."""
    session: memory.Memory
    idle: int
    """How many sessions were idle when memory was read."""


class Client:
    """A PHP process that is told when to come."""

    def __init__(self, settings: Settings, serving: Serving) -> None:
        self._process = subprocess.Popen(
            [*php(settings.php, (*serving.ini, "tortoise.modules=math")), str(FOLDER / "php" / "session.php")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def come(self, what: str) -> dict[str, Any]:
        """Let it connect by a call or an object."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "nothing, and ended"}
        if "error" in answer:
            raise Unavailable(f"a client said: {answer['error']}")
        return answer

    def leave(self) -> None:
        """End it."""
        self._process.communicate()


def measure(settings: Settings, variant: Variant, product: str, clients: int, idle: int) -> Result:
    """Let clients come one after another, and then some that stay."""
    address = f"unix://{fresh(settings.temporary)}/tortoise.sock"
    serving = sidecar(settings, "", address, f'modules = ["math"]\n{variant.lines}')
    assert serving.server is not None
    with serving.server:
        # The first one waits until the interpreter has started. That is nobody's time.
        _one(settings, serving, variant.spares, "call")
        connects = [_connect(settings, serving, variant.spares, product) for _ in range(clients)]
        calls = [_one(settings, serving, variant.spares, "call") for _ in range(clients)]
        objects = [_one(settings, serving, variant.spares, "object") for _ in range(clients)]
        with _staying(settings, serving, idle) as sessions:
            total = memory.of(sessions)
    return Result(
        variant,
        connects=[seconds * 1e6 for seconds in connects],
        calls=[answer["first"] for answer in calls],
        objects=[answer["first"] for answer in objects],
        session=memory.Memory(total.proportional / idle, total.private / idle),
        idle=idle,
    )


def _one(settings: Settings, serving: Serving, spares: int, what: str) -> dict[str, Any]:
    client = Client(settings, serving)
    try:
        _await_spares(settings, serving, spares)
        return client.come(what)
    finally:
        client.leave()


def _connect(settings: Settings, serving: Serving, spares: int, product: str) -> float:
    _await_spares(settings, serving, spares)
    return seconds_to_welcome(serving.address, product, [str(FOLDER / "classes")])


def _await_spares(settings: Settings, serving: Serving, count: int) -> None:
    """Until so many spare sessions wait, and are no more busy with getting ready."""
    binary = settings.dist.resolve() / "bin" / "tortoise"
    deadline = time.monotonic() + SPARE_SECONDS
    while time.monotonic() < deadline:
        command = [str(binary), "status", "--json", "--address", serving.address]
        status = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment()).stdout)
        ready = [
            session
            for session in status["list"]
            if session["state"] == "spare" and session["since"] >= REHEARSAL_SECONDS
        ]
        if len(ready) >= count:
            return
    raise Unavailable(f"{count} spare sessions are not there within {SPARE_SECONDS} s")


@contextmanager
def _staying(settings: Settings, serving: Serving, count: int) -> Iterator[list[int]]:
    """Give the processes of sessions whose clients have made an object and do nothing more."""
    with ExitStack() as stack:
        sessions = []
        for _ in range(count):
            client = Client(settings, serving)
            stack.callback(client.leave)
            sessions.append(client.come("object")["session"])
        yield sessions


def table(results: list[Result]) -> str:
    """Return the results as a Markdown table."""
    heads = ["connect", "9 of 10 within", "first call", "first object", "PSS idle", "private"]
    rows = [["session", *heads]]
    for result in results:
        rows.append(
            [
                result.variant.label,
                report.time(median(result.connects)),
                report.time(quantiles(result.connects, n=10)[8]),
                report.time(median(result.calls)),
                report.time(median(result.objects)),
                _mebibytes(result.session.proportional),
                _mebibytes(result.session.private),
            ]
        )
    return report.table(rows)


def _mebibytes(kibibytes: float) -> str:
    return f"{kibibytes / 1024:.1f} MiB"


def missed(results: list[Result]) -> list[str]:
    """Return what does not reach its goal."""
    return [
        f"{result.variant.label}: connect takes {report.time(median(result.connects))}, "
        f"and the goal is {report.time(CONNECT_GOAL)}"
        for result in results
        if result.variant.spares and median(result.connects) > CONNECT_GOAL
    ]


def main() -> int:
    """Measure, print, and end with 1 if a goal is missed."""
    options = _parser().parse_args()
    settings = Settings(
        php=options.php,
        php_fpm="",
        python=sys.executable,
        dist=options.dist,
        phpy="",
        rounds=1,
        seconds=0.0,
        peers=frozenset(),
        workloads=(),
        clients=(),
        children=(),
    )
    try:
        described = machine.describe(settings)
        if machine.is_busy():
            print("Other processes keep this machine busy. The times will be too high.", file=sys.stderr)
        product = described["Tortoise"].split()[0]
        results = [measure(settings, variant, product, options.clients, options.idle) for variant in VARIANTS]
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    finally:
        settings.clean()
    names = ("Date", "CPU", "Load before", "Kernel", "PHP", "Python", "Tortoise")
    print(*(f"{name}: {described[name]}" for name in names), "", sep="\n")
    print(table(results))
    print(
        f"\nMedians of {options.clients} clients. Connect: until the welcome. First call, first object: of a new PHP "
        f"process, connection included. Memory: the mean of {options.idle} idle sessions with an object each."
    )
    faults = missed(results)
    print(*faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benches.sessions", description=__doc__)
    add = parser.add_argument
    add("--php", default="php", help="PHP's command line program")
    add("--dist", type=Path, default=FOLDER.parent / "dist", help="the folder with Tortoise")
    add("--clients", type=int, default=50, help="how many clients come, one after another [50]")
    add("--idle", type=int, default=20, help="how many sessions are idle when memory is read [20]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
