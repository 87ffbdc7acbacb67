"""Puts class roots on `sys.path`, where Python's own `import` finds what is in them."""

import sys
import threading
from collections.abc import Sequence

from tortoise_worker.folders import FolderFinder


class SearchPath:
    """The class roots of a process, which stand last on `sys.path`."""

    def __init__(self, *, is_shared: bool = False) -> None:
        """`is_shared`: several sessions search here. What one of them has added stays, for it is in use."""
        self._is_shared = is_shared
        self._roots: list[str] = []
        self._finder = FolderFinder()
        self._lock = threading.Lock()

    def set_roots(self, roots: Sequence[str]) -> None:
        """Searches these roots from now on, in this order; those of a shared path behind what it has."""
        with self._lock:
            before = self._roots
            self._roots = list(dict.fromkeys([*before, *roots] if self._is_shared else roots))
            if self._roots == before:
                return
            # Last, so that nothing of the user's shadows a module that a library relies on.
            sys.path[:] = [entry for entry in sys.path if entry not in before] + self._roots
            self._finder.set_roots(self._roots)
