"""Sees that a file of the class roots has changed since its code was loaded."""

import os
import sys
import time
import types

from tortoise_worker.loader import Loader

# What a file system's clock may be behind.
SLACK_NANOSECONDS = 20_000_000


# What no file is like.
UNKNOWN = (-1, -1)


class Sources:
    """The files of the modules that come from class roots."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        # By name, with what has the name: it may be imported anew.
        self._seen: dict[str, int] = {}
        self._stamps: dict[str, tuple[int, int] | None] = {}
        self._last_look: int | None = None

    def note(self, written_before: int | None = None) -> None:
        """Remembers what the files of the modules are like that have been loaded since.

        One that was not `written_before`, in nanoseconds of the clock, counts as changed: perhaps it was
        written after it was loaded.
        """
        for name, module in list(sys.modules.items()):
            if self._seen.get(name) != id(module):
                self._seen[name] = id(module)
                # A module that makes its attributes when they are asked for is not asked.
                file = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
                if type(file) is str and self._loader.holds(module):
                    stamp = _stamp(file)
                    if stamp is not None and written_before is not None and stamp[0] >= written_before:
                        stamp = UNKNOWN
                    self._stamps.setdefault(file, stamp)

    def changed(self) -> str | None:
        """A file that is not any more what it was when it was noted, or is gone; None: there is none."""
        self.note()
        return next((file for file, stamp in self._stamps.items() if _stamp(file) != stamp), None)

    def look(self) -> str | None:
        """A file that has changed since its code was loaded; None: there is none.

        To be called before code is loaded: what has been loaded since the last look need not be noted.
        """
        since, self._last_look = self._last_look, time.time_ns()
        self.note(None if since is None else since - SLACK_NANOSECONDS)
        return self.changed()

    def renew(self) -> None:
        """What the files are like now is what they were."""
        self._stamps = {file: _stamp(file) for file in self._stamps}


def _stamp(file: str) -> tuple[int, int] | None:
    """Tells a file that was written from what it was before."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
