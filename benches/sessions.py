"""`make bench-sessions`: what it takes a PHP process to come to its session, and the memory of one that is idle."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from . import machine, memory, report
from .peers import Serving, fresh, php, sidecar
from .processes import Unavailable, environment
from .settings import FOLDER, Settings

CONNECT_GOAL = 2_000.0
"""Microseconds: until a session that waits for its client has taken it."""


@dataclass(frozen=True)
class Variant:
    """A way to set up the sidecar."""

    label: str
    settings: str
    """Lines of its settings file."""
    has_spare: bool
    """Whether a forked session waits for the next client."""


VARIANTS = (
    Variant("forked when the client comes", "spare_sessions = 0\n", False),
    Variant("a spare one waits", "spare_sessions = 2\n", True),
    Variant("forked, numpy preloaded", 'spare_sessions = 0\npreload = ["numpy"]\n', False),
    Variant("a spare one, numpy preloaded", 'spare_sessions = 2\npreload = ["numpy"]\n', True),
)


@dataclass(frozen=True)
class Result:
    """What was measured of a variant. Times are microseconds, memory is KiB of one session."""

    variant: Variant
    calls: list[float]
    """Each client's first call."""
    connects: list[float]
    """The same without what a second call like it takes."""
    objects: list[float]
    """Each client's first object, of a class whose file no session has read yet."""
    session: memory.Memory
    idle: int
    """How many sessions were idle when memory was read."""


class Client:
    """A PHP process that is told when to come."""

    def __init__(self, settings: Settings, serving: Serving) -> None:
        self._process = subprocess.Popen(
            [*php(settings.php, (*serving.ini, "tortoise.modules=math,cmath")), str(FOLDER / "php" / "session.php")],
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


def measure(settings: Settings, variant: Variant, clients: int, idle: int) -> Result:
    """Let clients come one after another, and then some that stay."""
    address = f"unix://{fresh(settings.temporary)}/tortoise.sock"
    serving = sidecar(settings, "", address, f'modules = ["math", "cmath"]\n{variant.settings}')
    assert serving.server is not None
    with serving.server:
        # The first one waits until the interpreter has started. That is nobody's time.
        _one(settings, serving, "call")
        calls = [_one(settings, serving, "call") for _ in range(clients)]
        objects = [_one(settings, serving, "object") for _ in range(clients)]
        with _staying(settings, serving, idle) as sessions:
            total = memory.of(sessions)
    return Result(
        variant,
        calls=[answer["first"] for answer in calls],
        connects=[answer["first"] - answer["second"] for answer in calls],
        objects=[answer["first"] for answer in objects],
        session=memory.Memory(total.proportional / idle, total.private / idle),
        idle=idle,
    )


def _one(settings: Settings, serving: Serving, what: str) -> dict[str, Any]:
    client = Client(settings, serving)
    try:
        return client.come(what)
    finally:
        client.leave()


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
        if result.variant.has_spare and median(result.connects) > CONNECT_GOAL
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
        results = [measure(settings, variant, options.clients, options.idle) for variant in VARIANTS]
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    finally:
        settings.clean()
    names = ("Date", "CPU", "Load before", "Kernel", "PHP", "Python", "Tortoise")
    print(*(f"{name}: {described[name]}" for name in names), "", sep="\n")
    print(table(results))
    print(f"\nMedians of {options.clients} clients; memory: the mean of {options.idle} sessions with one object each.")
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
