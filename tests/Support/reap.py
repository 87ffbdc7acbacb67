"""Ends the private sidecar of a runtime directory, and waits until it and all that it started are gone.

    reap.py DIRECTORY

A process belongs to it if its environment says so (XDG_RUNTIME_DIR or TORTOISE_TEST_SANDBOX). Ends with 1 if any had
to be killed.
"""

import contextlib
import os
import select
import signal
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 15.0


def members(runtime: str) -> dict[int, int]:
    """The processes of the runtime directory, each with its parent."""
    marks = {name + os.fsencode(runtime) for name in (b"XDG_RUNTIME_DIR=", b"TORTOISE_TEST_SANDBOX=")}
    found: dict[int, int] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        try:
            if not marks.isdisjoint((process / "environ").read_bytes().split(b"\0")):
                # The name stands in parentheses and may hold anything; the state and the parent follow it.
                after_name = (process / "stat").read_text().rpartition(")")[2]
                found[int(process.name)] = int(after_name.split()[1])
        except OSError:
            continue  # It is another user's, or has just gone.
    return found


def send(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def wait_for(process: int, deadline: float) -> bool:
    """Whether the process is gone by the deadline, on the monotonic clock."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        ended, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        return bool(ended)
    finally:
        os.close(descriptor)


def main(runtime: str) -> int:
    processes = members(runtime)
    for process, parent in processes.items():
        # A sidecar that leaves takes its workers with it.
        if parent not in processes:
            send(process, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    stubborn = [process for process in processes if not wait_for(process, deadline)]
    for process in stubborn:
        print(f"still there: {process} {Path(f'/proc/{process}/cmdline').read_bytes()!r}", file=sys.stderr)
        send(process, signal.SIGKILL)
    return 1 if stubborn else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
