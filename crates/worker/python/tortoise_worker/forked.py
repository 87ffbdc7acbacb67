"""A process that the zygote has forked: waits for its client, and is its session."""

import gc
import json
import os
import signal
from dataclasses import replace

from tortoise_worker import _native, interrupts, line, memory, shared_holder
from tortoise_worker.children import Begun
from tortoise_worker.interrupts import Alarm
from tortoise_worker.session import Session
from tortoise_worker.settings import Settings


def run(begun: Begun, session: Session, settings: Settings, control: int, alarm: Alarm) -> None:
    """Serves the client that the process gets, until one of both leaves."""
    become_process(settings.memory_limit)
    _rehearse(session, settings)
    client = line.await_client(begun.line)
    if client is None:
        # It has run no code of the user's, whose exit handlers would have to run.
        os._exit(0)
    session.serve(client, control=control, line=begun.line.detach(), slot=begun.slot, alarm=alarm)
    interrupts.uninstall(alarm)


def hold(begun: Begun, settings: Settings, control: int) -> None:
    """Holds the shared objects of the worker until that leaves."""
    # Their memory is not that of a session.
    become_process(0)
    # The supervisor is to see that the zygote ends, which this line says as well.
    os.close(control)
    shared_holder.run(begun.line, settings.grace, looks_at_files=settings.reload == "on-change")


def _rehearse(session: Session, settings: Settings) -> None:
    """Does once what is done when a client comes.

    It changes nothing, but the pages of memory that it writes are the process's own then, and no more shared
    with the zygote: to copy them takes half the time that a client would wait.
    """
    ours, theirs = line.pair()
    with ours, theirs:
        order = {"session": {"roots": [*settings.path, "/"], "modules": [], "client": 0}}
        line.hand_over(ours, json.dumps(order).encode(), ours.fileno())
        if (rehearsed := line.await_client(theirs)) is not None:
            session.begin(rehearsed)
            os.close(rehearsed.socket)
            session.begin(replace(rehearsed, roots=[]))


def become_process(memory_limit: int) -> None:
    """Gives a new process the signals of any Python program, and a process group of its own.

    The group is what ends the processes that its code started, together with the session, and it keeps a
    Ctrl-C in the supervisor's terminal from the user's code. Those that leave the group are the session's
    children all the same, once their own parents have ended: so the zygote knows whose they were.
    """
    os.setpgid(0, 0)
    _native.adopt_orphans()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.register_at_fork(after_in_child=_native.in_forked_child)
    memory.bound(memory_limit)
    gc.enable()
