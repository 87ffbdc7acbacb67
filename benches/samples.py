"""What was measured: flat records, and the medians over the rounds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

FREE = "free"
ONE_CORE = "one core"
TWO_CORES = "two cores"
HOGS = "two hogs"


@dataclass(frozen=True)
class Sample:
    """One workload of one peer in one round. Times are microseconds."""

    peer: str
    workload: str
    clients: int
    place: str
    p50: float
    p99: float
    rate: float
    """Operations a second, of all clients together."""
    client_cpu: float
    """CPU microseconds of the client for one operation."""
    server_cpu: float
    """CPU microseconds of the server and its sessions for one operation."""


class Samples:
    """All of a run."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._samples = list(samples)

    def add(self, sample: Sample) -> None:
        """Take one more."""
        self._samples.append(sample)

    def median(self, figure: str, peer: str, workload: str, clients: int = 1, place: str = FREE) -> float | None:
        """Return the median over the rounds of a field of Sample; None if it was not measured."""
        found = [
            getattr(sample, figure)
            for sample in self._samples
            if (sample.peer, sample.workload, sample.clients, sample.place) == (peer, workload, clients, place)
        ]
        return median(found) if found else None

    def peers(self) -> set[str]:
        """Which ones were measured."""
        return {sample.peer for sample in self._samples}

    def as_json(self) -> list[dict[str, Any]]:
        """Return what `from_json` reads."""
        return [asdict(sample) for sample in self._samples]

    @classmethod
    def from_json(cls, samples: list[dict[str, Any]]) -> "Samples":
        """Read what `as_json` returned."""
        return cls(Sample(**sample) for sample in samples)
