"""The two signals that end calls nobody waits for: one writes down where they are, the other interrupts them.

The watcher of the session (`src/watch.rs`) sends them to the main thread, which runs the calls.
"""

import faulthandler
import os
import signal
from types import FrameType
from typing import NamedTuple

from tortoise_worker import Interrupted, _native

# Far from both ends of the range, where threading libraries and debuggers have theirs.
DUMP = signal.SIGRTMIN + 11
INTERRUPT = signal.SIGRTMIN + 12


class Alarm(NamedTuple):
    """How the watcher reaches the main thread."""

    dump_signal: int
    """Writes down where all threads are."""
    dump_file: int
    """The number of the file that this goes into."""
    interrupt_signal: int
    """Interrupts what the main thread does."""


def install() -> Alarm:
    """Handles both signals, in this process and in those that are forked from it.

    Where a call is goes to standard error, until the watcher puts the slow log in its place.
    """
    file = os.dup(2)
    # When Python ends, what was there before is there again; by default it would end the process.
    signal.signal(DUMP, signal.SIG_IGN)
    # In C, at once, whoever holds the interpreter's lock.
    faulthandler.register(DUMP, file=file, all_threads=True, chain=False)
    signal.signal(INTERRUPT, _interrupt)
    return Alarm(DUMP, file, INTERRUPT)


def uninstall(alarm: Alarm) -> None:
    """There are no calls any more: what runs now is to end as it likes, within the grace."""
    signal.signal(alarm.interrupt_signal, signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Python runs this between two steps of the main thread. What it was meant for may have ended since."""
    if _native.take_interrupt():
        raise Interrupted("PHP does not wait for this call any more: its time is over, or PHP has ended")
