"""Waits until all processes of the command line are gone, or a file holds a text; ends with 1 if they do not in time.

await.py SECONDS gone PID...
await.py SECONDS holds FILE TEXT
"""

import ctypes
import os
import select
import sys
import time
from pathlib import Path

IN_MODIFY = 0x2


def gone(processes: list[int], deadline: float) -> bool:
    """Whether the processes end by the deadline, on the monotonic clock."""
    for process in processes:
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            continue
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            print(f"process {process} is still there", file=sys.stderr)
            return False
    return True


def holds(file: Path, text: str, deadline: float) -> bool:
    """Whether the text is written to the file by the deadline. The file must be there."""
    library = ctypes.CDLL(None, use_errno=True)
    watch = library.inotify_init()
    if library.inotify_add_watch(watch, os.fsencode(file), IN_MODIFY) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(file))
    while text not in file.read_text(errors="replace"):
        if not select.select([watch], [], [], max(0.0, deadline - time.monotonic()))[0]:
            print(f"{file} does not hold {text!r} but:\n{file.read_text(errors='replace')}", file=sys.stderr)
            return False
        os.read(watch, 1 << 16)
    return True


def main(seconds: str, question: str, *words: str) -> int:
    deadline = time.monotonic() + float(seconds)
    match question:
        case "gone":
            return 0 if gone([int(word) for word in words], deadline) else 1
        case "holds":
            return 0 if holds(Path(words[0]), words[1], deadline) else 1
    return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
