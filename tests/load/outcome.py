"""What came of a run: the table, and what was wrong with it."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from benches.report import table, time

from .actions import Action
from .stack import CLIENT_LEFT

LEAST_SUCCEEDED = 0.9
"""Of the commands that were run, and of their editions that pages must have seen."""

LEAST_RUN = 0.5
"""Of the planned commands: a machine that is busy otherwise may not start an interpreter a second."""

HUNG_SECONDS = 5.0
"""A page that was still unanswered at the end, after this long, hangs. The others were cut by the end of the run."""


@dataclass(frozen=True)
class Outcome:
    """All that is known at the end."""

    tool: dict[str, Any]
    """What requests.lua wrote."""
    bad: list[tuple[int, float]]
    """Status and seconds of each request that was no 200, as nginx saw it."""
    actions: list[Action]
    planned: int
    """How many commands were to be run."""
    left_behind: list[str]
    """Processes that had to be killed in the end."""

    @property
    def hung(self) -> int:
        """Pages that never came."""
        return sum(status == CLIENT_LEFT and seconds >= HUNG_SECONDS for status, seconds in self.bad)

    @property
    def failed(self) -> int:
        """Requests that were not answered as they must be."""
        return self.hung + sum(self.tool[name] for name in ("wrong", "connect", "read", "write", "timeout"))

    @property
    def succeeded(self) -> list[Action]:
        """The commands that did what they should."""
        return [action for action in self.actions if not action.error]

    def table(self) -> str:
        """Return the run as a table."""
        tool = self.tool
        errors = ", ".join(f"{tool[name]} {name}" for name in ("connect", "read", "write", "timeout") if tool[name])
        rows = [
            ["", ""],
            ["seconds", f"{tool['seconds']:.1f}"],
            ["requests", f"{tool['requests']:,}"],
            ["requests a second", f"{tool['requests'] / tool['seconds']:,.0f}"],
            ["failed", f"{self.failed:,}"],
            ["of these: not 200, or wrong", f"{tool['wrong']:,}"],
            ["of these: socket errors", errors or "0"],
            ["of these: never answered", f"{self.hung:,}"],
            ["median request", time(tool["median"] * 1e6)],
            ["99th percentile", time(tool["p99"] * 1e6)],
            ["slowest request", time(tool["slowest"] * 1e6)],
        ]
        for command in dict.fromkeys(action.command for action in self.actions):
            times = [action.seconds for action in self.succeeded if action.command == command]
            of = sum(action.command == command for action in self.actions)
            took = f", median {time(median(times) * 1e6)}, slowest {time(max(times) * 1e6)}" if times else ""
            rows.append([f"{command}s", f"{len(times)} of {of}{took}"])
        if self.planned:
            rows.append(["commands run, of those planned", f"{len(self.actions)} of {self.planned}"])
            rows.append(["editions of the code seen", f"{tool['editions']} of {len(self.actions) + 1}"])
        return table(rows, figures=False)

    def faults(self) -> list[str]:
        """Return what is wrong with the run; empty: nothing."""
        found = []
        if self.failed:
            found.append(f"{self.failed:,} requests failed")
        found += dict.fromkeys(f"an answer was: {body.strip()}" for body in self.tool["quoted"])
        if not self.tool["requests"]:
            found.append("there were no requests")
        if len(self.actions) < LEAST_RUN * self.planned:
            found.append(f"only {len(self.actions)} of {self.planned} commands could be run: they took too long")
        if len(self.succeeded) < LEAST_SUCCEEDED * len(self.actions):
            found.append(f"only {len(self.succeeded)} of {len(self.actions)} commands succeeded")
            found += dict.fromkeys(f"{action.command}: {action.error}" for action in self.actions if action.error)
        # The first edition is seen without a command; the last one or two may have come too late for a page.
        if self.tool["editions"] < LEAST_SUCCEEDED * len(self.succeeded) - 1:
            seen = self.tool["editions"]
            found.append(f"pages saw {seen} editions of the code, after {len(self.succeeded)} commands")
        found += [f"had to be killed at the end: {process}" for process in self.left_behind]
        return found
