"""The bound of the memory of a session: more is a MemoryError in the call that wants it."""

import resource
import sys
from pathlib import Path

# What a session needs beside what it begins with, so that it can serve at all.
ROOM_BYTES = 32 << 20


def check(limit: int) -> None:
    """Ends the process if a session could not even begin within this limit: nobody would find out why."""
    if limit and limit < (least := _data_bytes() + ROOM_BYTES):
        megabytes = -(-least >> 20)
        print(
            f"tortoise: memory_limit is too small: with what is preloaded a session needs {megabytes}M",
            file=sys.stderr,
            flush=True,
        )
        sys.exit(4)


def bound(limit: int) -> None:
    """Bounds the memory of this process and of those that it starts, each for itself; 0: does not."""
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data_bytes() -> int:
    """What the system counts of this process against such a limit; 0: it does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:")), 0)
