"""The machine's floor: requests and replies of each workload's size between two C programs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import Unavailable, pinned
from .samples import Sample
from .settings import FOLDER

SOCKET = "floor-socket"
MEMORY = "floor-memory"
LABELS = {SOCKET: "C, Unix socket", MEMORY: "C, shared memory, spinning"}

SIZES = {
    "W1": (64, 64),
    "W2": (128, 128),
    "W3": (64, 100_000),
    "W4a": (800_000, 64),
    "W4n": (800_000, 64),
    "W4b": (64, 800_000),
    "W5": (10_000_000, 10_000_000),
}
"""Bytes of request and reply."""

TIMES_NULL_CALL = {"W6": 1, "W7": 1_000}
"""What is no exchange of its own but so many null calls: an object could be made, called and released in one."""


@dataclass(frozen=True)
class Floor:
    """benches/floor.c, compiled."""

    program: Path

    @classmethod
    def compiled(cls, folder: Path) -> "Floor":
        """Compile it into the folder."""
        program = folder / "floor"
        subprocess.run(["cc", "-O2", "-o", program, FOLDER / "floor.c"], check=True)
        return cls(program)

    def measure(self, peer: str, workload: str, place: str, cpus: str, seconds: float) -> Sample:
        """Measure one of the floors once."""
        request, reply = SIZES[workload]
        mode = peer.removeprefix("floor-")
        command = pinned([str(self.program), mode, str(request), str(reply), str(seconds)], cpus)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Unavailable(done.stderr.strip())
        p50, p99, _, client, server = (float(word) for word in done.stdout.split())
        return Sample(peer, workload, 1, place, p50, p99, 1e6 / p50, client, server)
