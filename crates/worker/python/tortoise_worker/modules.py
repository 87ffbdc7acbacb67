"""The gate for modules: which of them PHP may use; how it opens one by name, and the functions of scripts."""

import fnmatch
import importlib
import os
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tortoise_worker._native import MAX_NAME_BYTES
from tortoise_worker.errors import AccessRefusedError
from tortoise_worker.loader import MAX_LISTED_NAMES, Loader, shortened

# Open modules that are kept in mind. A session meets fewer; user code that makes modules up costs no more.
MAX_KEPT_MODULES = 4096


class Modules:
    """Decides over modules, however PHP came by them: opened by name, an attribute, a return value.

    PHP may use a module (read its attributes, call its functions, make objects of its classes) if

    - it is a module of a class root, or
    - the patterns of the sidecar let in one of its names, and so do PHP's, if PHP has any: those only narrow.

    A pattern is as in `fnmatch`, with `*` standing for dots too. It lets in the modules that it matches, and
    what lies below them: `numpy` is numpy with `numpy.linalg`, `numpy.*` is what lies below numpy without
    numpy itself, `*` is everything. The names of a module are its `__name__` and those under which it stands
    in `sys.modules`: `os` lets in `os.path`, though that calls itself posixpath.

    A module that is not let in can still be held, passed on and compared: it is a value.

    The gate is about module objects alone. What an open module holds is open with it, wherever that was
    defined: `numpy.float64`, or what a script has by `from x import y`. So who lets in a module that looks
    up others (`builtins`, `importlib`, `operator`, `sys`) lets in everything.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._served: Sequence[str] = ()
        self._asked: Sequence[str] = ()
        self._is_private = False
        # By identity: a module may say what it likes about equality. Kept, so that its address is its alone.
        self._open: dict[int, types.ModuleType] = {}

    def let_in(self, served: Sequence[str], asked: Sequence[str], is_private: bool) -> None:
        """Sets the patterns: `served` are the sidecar's, `asked` PHP's. A private sidecar is served PHP's."""
        self._served = served
        self._asked = asked
        self._is_private = is_private
        self.forget()

    def check(self, module: types.ModuleType) -> None:
        """Raises `AccessRefusedError` if PHP may not use a module."""
        if id(module) in self._open:
            return
        names = list(_names_of(module))
        if not self._loader.holds(module) and not any(map(self._lets_in, names)):
            raise self._refusal(names[0] if names else "?")
        if len(self._open) >= MAX_KEPT_MODULES:
            self._open.clear()
        self._open[id(module)] = module

    def open(self, name: str) -> object:
        """The module that Python's `import` gives for a dotted name. Runs its code if that is not loaded yet.

        Raises `AccessRefusedError` if it is not for PHP, and whatever the import raises.
        """
        parts = _parts(name, "a Python module")
        if self._lets_in(name):
            if name not in sys.modules:
                # A file that was written a moment ago is not in the directory listings that Python keeps.
                importlib.invalidate_caches()
            return importlib.import_module(name)
        found = self._loader.find(parts)
        if found is None:
            raise self._refusal(name)
        module = self._loader.import_by_own_name(found)
        if module is None:
            hint = (
                f" (Python imports something else by that name than {found.file}, "
                f"whose functions Tortoise\\call() reaches)"
            )
            raise self._refusal(name, hint)
        return module

    def function(self, script: str, name: str) -> Callable[..., Any]:
        """What a script of a class root holds under a name and can be called. Runs a script not loaded yet.

        `tools/h` is tools/h.py in the first root that has it, or tools/h/__init__.py; a dot is as good as a
        slash. Raises `AccessRefusedError` if there is no such script, `AttributeError` if there is no such
        function in it, and whatever the script itself raises.
        """
        parts = _parts(script.replace("/", "."), "a script")
        found = self._loader.find(parts)
        if found is None:
            raise AccessRefusedError(f"there is no script {shortened(script)}: {self._searched(parts)}")
        module = self._loader.import_file(found)
        function = getattr(module, name, None)
        if callable(function):
            return function
        callables = [
            key for key, value in vars(module).items() if callable(value) and not key.startswith("_")
        ]
        raise AttributeError(
            f"{found.file} has no function {shortened(name)}; it has {_listed(callables) or 'none at all'}",
            name=name,
            obj=module,
        )

    def forget(self) -> None:
        """Decides anew: the class roots have changed."""
        self._open.clear()

    def _lets_in(self, name: str) -> bool:
        return _covers(self._served, name) and (not self._asked or _covers(self._asked, name))

    def _refusal(self, name: str, hint: str = "") -> AccessRefusedError:
        """Says what would let the module in, and where."""
        if self._is_private:
            where, patterns = "tortoise.modules in PHP's settings", self._served
        elif _covers(self._served, name):
            where = "tortoise.modules in PHP's settings, which only narrows what the sidecar lets in,"
            patterns = self._asked
        else:
            where, patterns = (
                "`modules` in the sidecar's settings (tortoise.toml, or --modules)",
                self._served,
            )
        package = shortened(name.partition(".")[0])
        lists = _listed([shortened(pattern) for pattern in patterns]) or "nothing"
        return AccessRefusedError(
            f"the Python module {shortened(name)} is not open to PHP{hint}: {where} lists {lists}; "
            f"add {package} to it if PHP may use all that is in there"
        )

    def _searched(self, parts: Sequence[str]) -> str:
        path = os.path.join(*parts)
        ends = (".py", f"{os.sep}__init__.py")
        places = [os.path.join(root, path) + end for root in self._loader.roots for end in ends]
        hint = "; a script is named without .py" if parts[-1] == "py" else ""
        return f"looked for {_listed(places)}{hint}" if places else "no class root is set (tortoise.path)"


def _names_of(module: types.ModuleType) -> Iterator[str]:
    """What a module calls itself, and what Python calls it. Its class, perhaps user code, is not asked."""
    own = types.ModuleType.__dict__["__dict__"].__get__(module).get("__name__")
    if type(own) is str:
        yield own
    for name, known in list(sys.modules.items()):
        if known is module and type(name) is str and name != own:
            yield name


def _covers(patterns: Sequence[str], name: str) -> bool:
    """Whether a pattern matches a module or a package around it."""
    parts = name.split(".")
    names = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _parts(name: str, what: str) -> list[str]:
    """The identifiers of a dotted name. Raises `AccessRefusedError` if one is none, or private."""
    parts = name.split(".")
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES or not all(map(str.isidentifier, parts)):
        raise AccessRefusedError(f"{shortened(name)} is not the name of {what}")
    if any(part.startswith("_") for part in parts):
        raise AccessRefusedError(
            f"{shortened(name)} is not for PHP: names with a leading underscore are private"
        )
    return parts


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_LISTED_NAMES]) + (", …" if len(names) > MAX_LISTED_NAMES else "")
