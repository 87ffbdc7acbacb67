"""Imports a file of a class root under the name by which Python itself finds it, or under one of ours."""

import hashlib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import threading
import types
from dataclasses import dataclass
from typing import NamedTuple

from tortoise_worker.folders import folder_of

# The package under which a class file is loaded whose plain name another module has.
CLASH_PACKAGE = "tortoise_classes"

# By name: held while the code of a file runs that no `import` finds by that name.
_running: dict[str, threading.RLock] = {}


@dataclass(frozen=True, slots=True)
class Root:
    """A class root."""

    path: str
    """As it was given: what stands on `sys.path` and in messages."""
    real: str
    """Without symbolic links, and with a separator at its end."""


class Found(NamedTuple):
    """A Python file in a class root."""

    root: Root
    parts: tuple[str, ...]
    """Its relative path without `.py`, or its folder's if it is that folder's `__init__.py`."""
    file: str


def import_file(found: Found) -> tuple[str, types.ModuleType, bool]:
    """The module of a file with its name, and whether its code ran just now."""
    # A file that was written a moment ago is not in the directory listings that Python keeps.
    importlib.invalidate_caches()
    name = ".".join(found.parts)
    clash = _clash_package(found.root)
    for candidate in (name, f"{clash}.{name}"):
        if is_found_as(candidate, found):
            known = sys.modules.get(candidate)
            return candidate, _loaded(candidate, found.file), known is None
    # A package of the very same name stands beside the file.
    candidate = f"{clash}.{name}_file"
    # As in an import, another thread waits until the file's code has run.
    with _running.setdefault(candidate, threading.RLock()):
        known = sys.modules.get(candidate)
        return candidate, known or _run(candidate, found.file), known is None


def is_found_as(name: str, found: Found) -> bool:
    """Whether an `import` of the dotted name gives this very file. Imports its parents, if they are ours."""
    root, parts, file = found
    names = name.split(".")
    for length in range(1, len(parts)):
        parent = ".".join(names[: len(names) - len(parts) + length])
        folder = os.path.join(root.path, *parts[:length])
        spec = _spec(parent)
        locations = (spec.submodule_search_locations if spec else None) or []
        if any(_is_same(location, folder) for location in locations):
            continue
        if spec is None or not _is_same(spec.origin, f"{folder}.py"):
            return False
        # `Foo.py` beside the folder `Foo`: it is the folder's own code, as `Foo/__init__.py` would be.
        _loaded(parent, f"{folder}.py")
    spec = _spec(name)
    return spec is not None and _is_same(spec.origin, file)


def _loaded(name: str, file: str) -> types.ModuleType:
    """The module of a name that is found in a file. With a folder beside, its files are importable too."""
    module = importlib.import_module(name)
    folder = folder_of(file)
    if not hasattr(module, "__path__") and os.path.isdir(folder):
        # The folder is younger than the module.
        module.__path__ = [folder]
    return module


def _run(name: str, file: str) -> types.ModuleType:
    """Imports a file under a name that Python would not find it by."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("the class file has vanished")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        forget(name)
        raise
    return module


def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def _is_same(path: str | None, other: str) -> bool:
    return path is not None and os.path.realpath(path) == os.path.realpath(other)


def _clash_package(root: Root) -> str:
    """The package whose submodules are the files of one root. Its name is that root's for good."""
    key = hashlib.blake2b(root.real.encode(errors="surrogateescape"), digest_size=4).hexdigest()
    name = f"{CLASH_PACKAGE}.r{key}"
    for package, path in ((CLASH_PACKAGE, []), (name, [root.path])):
        if package not in sys.modules:
            # Another thread may be at it too; one of the two stays.
            module = types.ModuleType(package, "Class files whose plain names other modules have.")
            module.__path__ = path
            module.__spec__ = importlib.machinery.ModuleSpec(package, None, is_package=True)
            module.__spec__.submodule_search_locations = path
            sys.modules.setdefault(package, module)
    return name


def forget(name: str) -> None:
    """Makes the next import of a module read its file again."""
    sys.modules.pop(name, None)
    parent, _, child = name.rpartition(".")
    if parent in sys.modules:
        vars(sys.modules[parent]).pop(child, None)
