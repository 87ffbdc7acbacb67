"""Sees that a file of the class roots has changed since its code was loaded."""

import os
import sys
import types

from tortoise_worker.loader import Loader


class Sources:
    """The files of the modules that come from class roots."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        # By name, with what has the name: it may be imported anew.
        self._seen: dict[str, int] = {}
        self._stamps: dict[str, tuple[int, int] | None] = {}

    def note(self) -> None:
        """Remembers what the files of the modules are like that have been loaded since."""
        for name, module in list(sys.modules.items()):
            if self._seen.get(name) != id(module):
                self._seen[name] = id(module)
                # A module that makes its attributes when they are asked for is not asked.
                file = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
                if type(file) is str and self._loader.holds(module):
                    self._stamps.setdefault(file, _stamp(file))

    def changed(self) -> str | None:
        """A file that is not any more what it was when it was noted, or is gone; None: there is none."""
        self.note()
        return next((file for file, stamp in self._stamps.items() if _stamp(file) != stamp), None)


def _stamp(file: str) -> tuple[int, int] | None:
    """Tells a file that was written from what it was before."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
