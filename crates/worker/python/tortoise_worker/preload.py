"""Imports the modules of `preload`, with which all sessions begin; refuses those that a fork breaks."""

import importlib
import os
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

# The exit status of a worker whose modules cannot be preloaded.
EXIT_STATUS = 4

# How long the child of a trial fork may take to end. It does nothing else.
FORK_SECONDS = 5.0

# Threads that have been told to end at a fork are gone by then.
END_SECONDS = 1.0

TASKS = Path("/proc/self/task")


class ThreadsLeftError(Exception):
    """A module started threads when it was imported: a process forked from this one would be without them."""


def load(names: Sequence[str]) -> None:
    """Imports modules in their order. If one cannot be had, says which and why, and ends the process."""
    for name in names:
        try:
            import_module(name)
        except ThreadsLeftError as error:
            _refuse(f"the module {name} cannot be preloaded: {error}")
        except BaseException as error:
            traceback.print_exception(error)
            said = "".join(traceback.format_exception_only(error)[-1:]).strip()
            _refuse(f"the module {name} cannot be preloaded: {said}")


def import_module(name: str) -> None:
    """Imports a module.

    Raises what its code raises, and `ThreadsLeftError` if it leaves threads that do not end at a fork.
    """
    before = _tasks()
    importlib.import_module(name)
    if _tasks() - before and (left := _left_by_a_fork(before)):
        raise ThreadsLeftError(f"importing it starts a thread ({', '.join(left)}), which a fork would lose")


def _left_by_a_fork(before: set[str]) -> list[str]:
    """The names of the threads that are there since, and stay when the process forks.

    Libraries that know of forks, such as OpenBLAS, end their threads in front of one, and start them again
    when they need them.
    """
    _fork_in_vain()
    deadline = time.monotonic() + END_SECONDS
    while (left := _tasks() - before) and time.monotonic() < deadline:
        if not left.isdisjoint(names := _python_threads()):
            return sorted(names[task] for task in left if task in names)
        # Who joins a thread goes on before the system has taken it off the list; nothing tells when it has.
        time.sleep(0.001)
    return sorted(map(_system_name, left))


def _fork_in_vain() -> None:
    with warnings.catch_warnings():
        # That there are threads is what we are looking at.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0)
    descriptor = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(FORK_SECONDS * 1000):
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(descriptor)
    os.waitpid(child, 0)


def _tasks() -> set[str]:
    return set(os.listdir(TASKS))


def _python_threads() -> dict[str, str]:
    """The names of the threads that Python knows, by the system's numbers of them."""
    return {str(thread.native_id): thread.name for thread in threading.enumerate()}


def _system_name(task: str) -> str:
    try:
        return (TASKS / task / "comm").read_text().strip()
    except OSError:
        return "one that has just ended"


def _refuse(message: str) -> None:
    # Last, because who started us quotes the end of what we printed.
    print(f"tortoise: {message}; mend it, or take it out of `preload`", file=sys.stderr, flush=True)
    os._exit(EXIT_STATUS)
