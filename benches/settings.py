"""What is measured, how long and with which programs."""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent

WORKLOADS = {
    "W1": "null call",
    "W2": "int, string → dict of 5",
    "W3": "1,000 rows of 5 fields",
    "W4a": "100,000 floats in, summed",
    "W4n": "the same into an ndarray",
    "W4b": "100,000 floats out",
    "W5": "10 MB of bytes echoed",
    "W6": "construct, call, release",
    "W7": "1,000 calls",
}
"""In the order of the tables."""

PAGE = "W8"
"""The workload that is not a client's but FPM's."""


@dataclass(frozen=True)
class Settings:
    """Everything that a run is told."""

    php: str
    """PHP's command line program."""
    php_fpm: str
    """The FPM of the same PHP; empty: there is none."""
    python: str
    """The Python of the servers and sessions, which has numpy and msgpack."""
    dist: Path
    """The folder with Tortoise, as `make build` fills it."""
    phpy: str
    """phpy's extension; empty: there is none."""
    rounds: int
    seconds: float
    """How long each client repeats each workload in each round."""
    peers: frozenset[str]
    """Which ones; empty: all."""
    workloads: tuple[str, ...]
    clients: tuple[int, ...]
    """How many clients at once, one after another."""
    children: tuple[int, ...]
    """How many children the pools of FPM have."""
    temporary: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="tortoise-bench.")))
    """For sockets, logs and settings. Short, because the path of a socket is bounded."""

    def clean(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self.temporary, ignore_errors=True)


def words(text: str) -> tuple[str, ...]:
    """Split at commas and spaces."""
    return tuple(text.replace(",", " ").split())


def numbers(text: str) -> tuple[int, ...]:
    """Split at commas and spaces into numbers from 1 on."""
    found = tuple(sorted({int(word) for word in words(text)}))
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError(f"not numbers from 1 on: {text}")
    return found


def workloads(text: str) -> tuple[str, ...]:
    """Split, and keep the order of the tables."""
    wanted = set(words(text))
    known = (*WORKLOADS, PAGE)
    if unknown := wanted.difference(known):
        raise argparse.ArgumentTypeError(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return tuple(name for name in known if name in wanted)


def parser(peers: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    add = parser.add_argument
    add("--php", default="php", help="PHP's command line program")
    add("--php-fpm", default="", help="the FPM of the same PHP")
    add("--dist", type=Path, default=FOLDER.parent / "dist", help="the folder with Tortoise")
    add("--phpy", default="", metavar="FILE", help="phpy.so, to compare with")
    add("--rounds", type=int, default=5, help="rounds; each runs everything once [5]")
    add("--seconds", type=float, default=0.2, help="seconds for each workload of each peer in each round [0.2]")
    add("--peers", type=words, default=(), help=f"which peers, of {', '.join(peers)} [all]")
    add("--workloads", type=workloads, default=(*WORKLOADS, PAGE), help="which workloads, such as W1,W2,W8 [all]")
    add("--clients", type=numbers, default=(1, 2, 8), help="how many clients at once [1,2,8]")
    add("--children", type=numbers, default=(1, 8, 64), help="how many children of FPM, in W8 [1,8,64]")
    add("--json", type=Path, metavar="FILE", help="save what was measured")
    add("--read", type=Path, metavar="FILE", help="measure nothing, and take what --json saved")
    add("--write-docs", type=Path, metavar="DIR", help="write performance.md and performance.png into this folder")
    return parser
