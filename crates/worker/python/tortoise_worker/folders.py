"""Lets a class file and a folder of its name stand side by side in a class root, as class files do.

Python imports `Model.py` as a module, and a module has no submodules: `Model/Page.py` beside it could not be
imported.
"""

import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence

_PathFinder = importlib.machinery.PathFinder


class FolderFinder:
    """Finds what Python's own finder of files finds. A class file with a folder beside gets its files."""

    def __init__(self) -> None:
        self._roots: tuple[str, ...] = ()
        # It stands in for Python's own finder, behind those that others put before it.
        places = (place for place, finder in enumerate(sys.meta_path) if finder is _PathFinder)
        sys.meta_path.insert(next(places, len(sys.meta_path)), self)

    def set_roots(self, roots: Sequence[str]) -> None:
        """Looks after the class files of these roots, which stand on `sys.path` in this spelling."""
        self._roots = tuple(os.path.join(root, "") for root in roots)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """What `import` asks of a finder."""
        spec = _PathFinder.find_spec(name, path, target)
        if (
            spec is not None
            and spec.origin is not None
            and type(spec.loader) is importlib.machinery.SourceFileLoader
            and spec.submodule_search_locations is None
            and spec.origin.startswith(self._roots)
            and os.path.isdir(folder_of(spec.origin))
        ):
            spec.loader = _LoaderWithFolder(name, spec.origin)
        return spec


class _LoaderWithFolder(importlib.machinery.SourceFileLoader):
    """Gives a module its folder before its code runs, which may import from there.

    The module stays a module all the same: a relative import in it is from beside it, not from its folder.
    """

    def exec_module(self, module: types.ModuleType) -> None:
        module.__path__ = [folder_of(self.path)]
        super().exec_module(module)


def folder_of(file: str) -> str:
    """The folder that may stand beside a class file."""
    return file.removesuffix(".py")
