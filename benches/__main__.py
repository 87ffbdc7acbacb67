"""The command line: measures, shows, saves, and writes the documentation."""

import json
import shlex
import signal
import sys
from argparse import Namespace
from pathlib import Path
from typing import NoReturn

from . import document, machine, report
from .measure import Run
from .peers import PEERS
from .report import Result
from .samples import Samples
from .settings import Settings, parser


def main() -> int:
    """Run, and return an exit status."""
    options = parser(list(PEERS)).parse_args()
    if unknown := set(options.peers).difference(PEERS):
        sys.exit(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    # What runs beside us must be ended, and not left to itself.
    signal.signal(signal.SIGTERM, _leave)
    try:
        result = _read(options.read) if options.read else _measure(options)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    print(report.text(result, options.clients))
    if options.json:
        options.json.write_text(json.dumps(vars(result) | {"samples": result.samples.as_json()}, indent=1), "utf-8")
    if options.write_docs:
        document.write(result, options.clients, options.write_docs)
        print(f"Wrote performance.md and performance.png into {options.write_docs}.", file=sys.stderr)
    return 0


def _measure(options: Namespace) -> Result:
    settings = Settings(
        php=options.php,
        php_fpm=options.php_fpm,
        python=sys.executable,
        dist=options.dist,
        phpy=options.phpy,
        rounds=options.rounds,
        seconds=options.seconds,
        peers=frozenset(options.peers),
        workloads=options.workloads,
        clients=options.clients,
        children=options.children,
    )
    try:
        described = machine.describe(settings)
        if machine.is_busy():
            print("Other processes keep this machine busy. The figures will be too high.", file=sys.stderr)
        run = Run(settings)
        run.measure()
    finally:
        settings.clean()
    return Result(described, run.samples, run.absent, _command(options))


def _read(file: Path) -> Result:
    saved = json.loads(file.read_text("utf-8"))
    return Result(**saved | {"samples": Samples.from_json(saved["samples"])})


def _command(options: Namespace) -> str:
    """Return what to type to have the same again."""
    words = ["make", "bench-docs"]
    usual = parser([]).parse_args([])
    for name in ("rounds", "seconds", "peers", "workloads", "clients", "children"):
        value = getattr(options, name)
        if value != getattr(usual, name):
            words.append(f"{name.upper()}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
    if options.phpy:
        words.append("PHPY_SO=phpy.so")
    return shlex.join(words)


def _leave(number: int, _: object) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


if __name__ == "__main__":
    sys.exit(main())
