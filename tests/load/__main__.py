"""The command line: runs the load, prints the table, and ends with 1 if a request failed."""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from benches.processes import Unavailable

from .disturbance import COMMANDS, disturb, planned
from .family import Family
from .outcome import Outcome
from .stack import FOLDER, Programs, Stack, find

CHILDREN, CONNECTIONS, THREADS = 8, 6, 2
"""Fewer connections than children of FPM: so there are sessions that are idle when they must leave."""

TOOL_TIMEOUT_SECONDS = 30
"""wrk counts what takes longer as failed."""

LOG_LINES = 20


def main() -> int:
    """Run, and return an exit status."""
    options = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    # Short, because the path of a socket is bounded.
    folder = Path(tempfile.mkdtemp(prefix="tortoise-load."))
    try:
        outcome = _run(options, folder)
    except Unavailable as reason:
        print(f"{reason}\nThe logs are in {folder}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    print(outcome.table())
    faults = outcome.faults()
    if not faults:
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    print("", *faults, f"The logs are in {folder}; the last lines of the sidecar's:", sep="\n", file=sys.stderr)
    print(*(folder / "sidecar.log").read_text().splitlines()[-LOG_LINES:], sep="\n", file=sys.stderr)
    return 1


def _run(options: argparse.Namespace, folder: Path) -> Outcome:
    if not options.php_fpm:
        raise Unavailable("there is no FPM of this PHP; the package is php-fpm (make test-load installs Debian's)")
    programs = Programs(options.php_fpm, find("nginx"), find("wrk"), options.python, options.dist)
    commands = tuple(word for word in options.commands.replace(",", " ").split() if word != "none")
    with Family() as family:
        stack = Stack(programs, CHILDREN, folder)
        page = stack.page()
        if page != "right 0\n":
            raise Unavailable(f"the page says, before any load: {page.strip()}")
        command = [programs.wrk, f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{options.seconds}s"]
        command += [f"--timeout={TOOL_TIMEOUT_SECONDS}s", "--script", str(FOLDER / "requests.lua"), stack.address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as tool:
            actions = disturb(stack, tool, options.seconds, commands)
            result = _read(tool.communicate()[0])
        stack.stop_nginx()
        bad = stack.bad()
        stack.stop_fpm()
    return Outcome(result, bad, actions, planned(options.seconds, commands), family.left_behind)


def _read(output: str) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise Unavailable(f"wrk did not say what came of it, but: {output.strip()}") from None
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    add = parser.add_argument
    add("--php-fpm", required=True, help="PHP's FPM")
    add("--python", required=True, help="the Python of the sessions")
    add("--dist", type=Path, required=True, help="the folder with Tortoise")
    add("--seconds", type=_seconds, default=60, help="how long [60]")
    add("--commands", default=",".join(COMMANDS), help="what to run in turn, once a second, or none [reload,restart]")
    return parser


def _seconds(text: str) -> int:
    if (seconds := int(text)) < 2:
        raise argparse.ArgumentTypeError("it takes at least 2 seconds")
    return seconds


def _leave(number: int, _: object) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


if __name__ == "__main__":
    sys.exit(main())
