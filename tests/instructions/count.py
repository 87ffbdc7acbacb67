#!/usr/bin/env python3
"""Counts the instructions, and the allocations, that a call takes on each side; fails above a budget.

count.py PHP [workload ...]    with --write, prints budgets for what was measured instead

Each workload is recorded twice from a real PHP and a real session, with few calls and with many, and replayed to each
side alone under valgrind: the difference is what the calls took, without the start of anything. Over a socket no side
ever spins. Allocations are those of malloc: the values themselves come from PHP's and Python's own pools.
"""

import argparse
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import frames

HERE = Path(__file__).resolve().parent
CLASSES = HERE / "classes"
DIST = Path(os.environ.get("TORTOISE_DIST") or HERE.parents[1] / "dist").resolve()

# Calls of the two recordings.
FEW, MANY = 50, 150


SIDES = ("php", "python")

CALLGRIND = ["valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file={report}"]
MEMCHECK = ["valgrind", "--leak-check=no", "--log-file={report}"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("php")
    parser.add_argument("workloads", nargs="*")
    options = parser.parse_args()
    budgets = tomllib.loads((HERE / "budgets.toml").read_text())
    exceeded = 0
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(options.php, os.environ.get("TORTOISE_PYTHON", "/usr/bin/python3"), Path(name))
        try:
            for workload in options.workloads or budgets:
                exceeded += not holds(bench, workload, budgets.get(workload, {}))
        finally:
            bench.sidecar.stop()
    if exceeded:
        print(
            f"\n{exceeded} kinds of call take more than their budget in tests/instructions/budgets.toml.\n"
            "If the change is worth it, raise the budget and say why there; else look at what the path does now:\n"
            "  callgrind_annotate on the files that --tool=callgrind writes.",
            file=sys.stderr,
        )
    return 1 if exceeded else 0


def holds(bench: "Bench", workload: str, budget: dict[str, Any]) -> bool:
    """Measures a workload, prints it, and says whether it keeps its budget."""
    found = bench.measure(workload, CALLGRIND, r"^(?:totals|summary): (\d+)")
    parts = [f"{side} {count:>9,} of {budget.get(side, 0):>9,}" for side, count in found.items()]
    # No call takes none: the parts were exchanged between two counts.
    is_over = any(not 0 < count <= budget.get(side, 0) for side, count in found.items())
    if "allocations" in budget:
        found = bench.measure(workload, MEMCHECK, r"total heap usage: ([\d,]+) allocs")
        parts += [f"allocations {' + '.join(str(count) for count in found.values())} of {budget['allocations']}"]
        is_over |= sum(found.values()) > budget["allocations"]
    print(f"{workload:<12} {'   '.join(parts)}{'   OVER' if is_over else ''}", flush=True)
    return not is_over


class Bench:
    """A sidecar to record from, and what is needed to replay."""

    def __init__(self, php: str, python: str, folder: Path) -> None:
        self.folder = folder
        self.sidecar = frames.Sidecar(DIST / "bin/tortoise", CLASSES, python, folder)
        settings = {"extension": DIST / "tortoise.so", "tortoise.path": CLASSES, "tortoise.shared_memory": 0}
        self.php = [php, "-n", *(part for name, value in settings.items() for part in ("-d", f"{name}={value}"))]
        self.session = [python, "-sSP", str(HERE / "session.py"), str(DIST / "lib/tortoise"), str(CLASSES)]

    def measure(self, workload: str, tool: list[str], pattern: str) -> dict[str, int]:
        """What one call takes on each side, by what `pattern` finds in the tool's report."""
        few, many = (self.run(workload, times, tool, pattern) for times in (FEW, MANY))
        return {side: (many[side] - few[side]) // (MANY - FEW) for side in SIDES}

    def run(self, workload: str, times: int, tool: list[str], pattern: str) -> dict[str, int]:
        """What a whole run of each side takes, alone."""
        report = self.folder / "report"
        wrapper = [part.format(report=report) for part in tool]
        script = [*self.php, str(HERE / "calls.php"), workload, str(times)]
        conversation = frames.record(script, self.sidecar.socket, self.folder)
        frames.replay_to_php([*wrapper, *script], conversation, self.folder)
        in_php = number_in(report, pattern)
        environment = {"PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]}
        # Once without being counted, so that Python has compiled what it imports.
        frames.replay_to_session(self.session, conversation, environment)
        frames.replay_to_session([*wrapper, *self.session], conversation, environment)
        return {"php": in_php, "python": number_in(report, pattern)}


def number_in(report: Path, pattern: str) -> int:
    """The number that a tool reported."""
    found = re.search(pattern, report.read_text(), re.MULTILINE)
    report.unlink()
    if not found:
        raise ValueError(f"no {pattern} in the report")
    return int(found[1].replace(",", ""))


if __name__ == "__main__":
    sys.exit(main())
