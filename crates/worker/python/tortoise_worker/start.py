"""Reads the command line, runs the zygote, and in its children a session each."""

import argparse
import faulthandler
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from tortoise_worker import _native, forked, interrupts, memory, preload
from tortoise_worker.host import Host
from tortoise_worker.session import Session, prepare
from tortoise_worker.settings import Settings
from tortoise_worker.zygote import Zygote


def run(arguments: Sequence[str]) -> None:
    """Runs until the supervisor leaves; in a child, until its client does."""
    parser = argparse.ArgumentParser(prog="python -m tortoise_worker", description=__doc__)
    add = parser.add_argument
    add("--control", type=int, required=True, metavar="FD", help="the socket of the supervisor")
    add("--board", type=int, metavar="FD", help="the board on which sessions say what they do")
    add("--settings", default="{}", metavar="JSON", help="how the worker and its sessions behave")
    add("--directory", default="/", metavar="DIR", help="the working directory of the sessions")
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

    _native.limit_spinning(settings.spinning_sessions)
    slots = _native.open_board(options.board) if options.board is not None else 0
    # Made before the forks, so that all is there when a client comes.
    is_threaded = settings.isolation == "thread"
    search_path = prepare(is_shared=is_threaded)
    session = Session(search_path, settings)
    search_path.set_roots(settings.path)
    preload.load(settings.preload)
    memory.check(settings.memory_limit)
    if settings.reload == "on-change":
        session.note_preloaded(settings.path, search_path)
    # After the user's modules, which may have set handlers of their own.
    alarm = interrupts.install()
    begun = Zygote(options.control, settings, slots).run()
    if begun is None:
        return
    if begun.is_holder:
        forked.hold(begun, settings, options.control)
    elif is_threaded:
        Host(settings, options.control, alarm, search_path, begun).run()
    else:
        forked.run(begun, session, settings, options.control, alarm)
