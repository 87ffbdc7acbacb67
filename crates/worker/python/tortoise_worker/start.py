"""Reads the command line, runs the zygote, and in its children a session each."""

import argparse
import faulthandler
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from tortoise_worker import _native, session, zygote
from tortoise_worker.settings import Settings


def run(arguments: Sequence[str]) -> None:
    """Runs until the supervisor leaves; in a child, until its client does."""
    parser = argparse.ArgumentParser(prog="python -m tortoise_worker", description=__doc__)
    parser.add_argument(
        "--control", type=int, required=True, metavar="FD", help="the socket of the supervisor"
    )
    parser.add_argument(
        "--directory", default="/", metavar="DIR", help="the working directory of the sessions"
    )
    parser.add_argument(
        "--board", type=int, metavar="FD", help="the board on which sessions say what they do"
    )
    parser.add_argument(
        "--settings", default="{}", metavar="JSON", help="how the worker and its sessions behave"
    )
    parser.add_argument(
        "--spinning-sessions", type=int, metavar="COUNT", help="how many sessions at once may spin (the CPUs)"
    )
    options = parser.parse_args(arguments)
    settings = Settings.of(options.settings)

    try:
        os.chdir(options.directory)
    except OSError as error:
        sys.exit(f"tortoise: cannot change to the directory of the sessions: {error}")
    # A crash in an extension module shall say where it was.
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)

    _native.limit_spinning(options.spinning_sessions or settings.spinning_sessions)
    client = zygote.run(options.control)
    if client is not None:
        session.run(client)
