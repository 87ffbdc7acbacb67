"""Where Tortoise must stand: each line's goal, and what this run says to it."""

from collections.abc import Callable
from dataclasses import dataclass

from . import floors, pages
from .peers import BY_HAND
from .samples import FREE, HOGS, ONE_CORE, TWO_CORES, Samples

TORTOISE, TORTOISE_UNIX, PHPY = "tortoise", "tortoise-unix", "phpy"

Value = Callable[[Samples, str], float | None]
"""What a peer reached in a run."""


@dataclass(frozen=True)
class Goal:
    """A line of the table."""

    title: str
    value: Value
    limit: float | None
    """The goal; None: only shown."""
    peer: str = TORTOISE
    unit: str = "µs"
    is_rate: bool = False
    """More is better."""

    def holds(self, value: float) -> bool | None:
        """Whether the goal is reached; None if there is none."""
        if self.limit is None:
            return None
        return value >= self.limit if self.is_rate else value <= self.limit

    def best_by_hand(self, samples: Samples) -> float | None:
        """Return what the best peer reached that speaks over a socket."""
        values = [value for peer in BY_HAND if (value := self.value(samples, peer)) is not None]
        return (max if self.is_rate else min)(values, default=None)


def _figure(figure: str, workload: str, clients: int = 1, place: str = FREE) -> Value:
    return lambda samples, peer: samples.median(figure, peer, workload, clients, place)


def _of(base: str, workload: str) -> Value:
    """In units of what another one reached."""

    def value(samples: Samples, peer: str) -> float | None:
        own, other = samples.median("p50", peer, workload), samples.median("p50", base, workload)
        return own / other if own is not None and other else None

    return value


def _over_the_plain_page(workload: str) -> Value:
    def value(samples: Samples, peer: str) -> float | None:
        if peer != TORTOISE:
            return None
        for children in (8, 1, 64):
            with_python = samples.median("p50", pages.WITH, workload, children)
            without = samples.median("p50", pages.WITHOUT, workload, children)
            if with_python is not None and without is not None:
                return with_python - without
        return None

    return value


GOALS = (
    Goal("W1 null call", _figure("p50", "W1"), 1.0),
    Goal("W1 null call, p99", _figure("p99", "W1"), 5.0),
    Goal("W1 null call, of the floor", _of(floors.SOCKET, "W1"), 0.03, unit=""),
    Goal("W2 int, string → dict of 5", _figure("p50", "W2"), 2.0),
    Goal("W3 1,000 rows of 5 fields", _figure("p50", "W3"), 250.0),
    Goal("W3 1,000 rows, of phpy", _of(PHPY, "W3"), 1.0, unit=""),
    Goal("W4a 100,000 floats in, summed", _figure("p50", "W4a"), 2_000.0),
    Goal("W4n the same into an ndarray", _figure("p50", "W4n"), 200.0),
    Goal("W4b 100,000 floats out", _figure("p50", "W4b"), 1_000.0),
    Goal("W5 10 MB of bytes echoed", _figure("p50", "W5"), 2_500.0),
    Goal("W6 construct, call, release", _figure("p50", "W6"), 3.0),
    Goal("W7 1,000 calls", _figure("p50", "W7"), None),
    Goal("both sides on one core, W1", _figure("p50", "W1", place=ONE_CORE), 6.0),
    Goal("beside two CPU hogs, W1", _figure("p50", "W1", place=HOGS), 6.0),
    Goal("beside two CPU hogs, W1, p99", _figure("p99", "W1", place=HOGS), None),
    Goal("plain Unix socket, one core, W1", _figure("p50", "W1", place=ONE_CORE), 10.0, peer=TORTOISE_UNIX),
    Goal("W8 a page of 10 calls, warm, over the page without", _over_the_plain_page(pages.WARM), 300.0),
    Goal("W8 the same, cold", _over_the_plain_page(pages.COLD), None),
    Goal("2 clients on 2 cores, W1", _figure("rate", "W1", 2, TWO_CORES), 300_000.0, unit="/s", is_rate=True),
)
