#!/usr/bin/env python3
"""Counts the instructions that a call takes on each side, and fails where it takes more than its budget.

count.py PHP [workload ...]    with --write, prints budgets for what was measured instead

Each workload is recorded twice from a real PHP and a real session, with few calls and with many, and replayed to each
side alone under callgrind: the difference is what the calls took, without the start of anything. Over a socket no side
ever spins.
"""

import argparse
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path

import frames

HERE = Path(__file__).resolve().parent
CLASSES = HERE / "classes"
DIST = Path(os.environ.get("TORTOISE_DIST") or HERE.parents[1] / "dist").resolve()

# Calls of the two recordings.
FEW, MANY = 50, 150


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("php")
    parser.add_argument("workloads", nargs="*")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    budgets = tomllib.loads((HERE / "budgets.toml").read_text())
    python = os.environ.get("TORTOISE_PYTHON", "/usr/bin/python3")
    exceeded = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sidecar = frames.Sidecar(DIST / "bin/tortoise", CLASSES, python, folder)
        try:
            for workload in options.workloads or budgets:
                php, session = measure(options.php, python, workload, sidecar.socket, folder)
                budget = budgets.get(workload, {"php": 0, "python": 0})
                over = not options.write and (php > budget["php"] or session > budget["python"])
                exceeded += over
                print(
                    f"{workload:<12} PHP {php:>9,} of {budget['php']:>9,}"
                    f"   Python {session:>9,} of {budget['python']:>9,}{'   OVER' if over else ''}",
                    flush=True,
                )
        finally:
            sidecar.stop()
    if exceeded:
        print(
            f"\n{exceeded} kinds of call take more instructions than their budget in tests/instructions/budgets.toml.\n"
            "If the change is worth it, raise the budget and say why there; else look at what the path does now:\n"
            "  callgrind_annotate on the files that --tool=callgrind writes.",
            file=sys.stderr,
        )
    return 1 if exceeded else 0


def measure(php: str, python: str, workload: str, sidecar: Path, folder: Path) -> tuple[int, int]:
    """Instructions of one call in PHP and in the session."""
    counts = [count(php, python, workload, times, sidecar, folder) for times in (FEW, MANY)]
    first, second = ((many - few) // (MANY - FEW) for few, many in zip(*counts, strict=True))
    return first, second


def count(php: str, python: str, workload: str, times: int, sidecar: Path, folder: Path) -> tuple[int, int]:
    """Instructions of a whole run of PHP and of a session, alone."""
    script = [str(HERE / "calls.php"), workload, str(times)]
    settings = {"extension": DIST / "tortoise.so", "tortoise.path": CLASSES, "tortoise.shared_memory": 0}
    command = [php, "-n", *(part for name, value in settings.items() for part in ("-d", f"{name}={value}"))]
    conversation = frames.record([*command, *script], sidecar, folder)

    frames.replay_to_php([*callgrind(folder), *command, *script], conversation, folder)
    in_php = instructions(folder)
    session = [python, "-sSP", str(HERE / "session.py"), str(DIST / "lib/tortoise"), str(CLASSES)]
    environment = {"PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]}
    # Once without being counted, so that Python has compiled what it imports.
    frames.replay_to_session(session, conversation, environment)
    frames.replay_to_session([*callgrind(folder), *session], conversation, environment)
    return in_php, instructions(folder)


def callgrind(folder: Path) -> list[str]:
    return ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out"]


def instructions(folder: Path) -> int:
    """What the last run under callgrind counted."""
    file = folder / "callgrind.out"
    found = re.search(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE)
    file.unlink()
    if not found:
        raise ValueError("callgrind counted nothing")
    return int(found[1])


if __name__ == "__main__":
    sys.exit(main())
