"""Finds files under the class roots: of a PHP class, a script, a module. Each file is one module."""

import builtins
import importlib
import os
import sys
import types
from collections.abc import Sequence

from tortoise_worker import classes, naming
from tortoise_worker.errors import AccessRefusedError
from tortoise_worker.importing import Found, Root, forget, import_file, is_found_as
from tortoise_worker.search_path import SearchPath

# PHP names whose modules are remembered. An application has fewer; who makes names up gains nothing.
MAX_FOUND_NAMES = 4096

# Names that an error lists; a module may define thousands.
MAX_LISTED_NAMES = 20


class Loader:
    """Class roots, and the modules that come from them."""

    def __init__(self, roots: Sequence[str], search_path: SearchPath) -> None:
        """`search_path` gets the roots too."""
        self._roots: list[Root] = []
        self._search_path = search_path
        # By PHP name: the module that has the class, under its name, and what the class may be called there.
        # Each page asks for its classes again, and to search for a module costs a hundred times as much.
        self._found: dict[str, tuple[str, types.ModuleType, Sequence[str]]] = {}
        self._files: dict[str, tuple[str, types.ModuleType]] = {}
        self.set_roots(roots)

    def set_roots(self, roots: Sequence[str]) -> None:
        """Searches these roots from now on. What was imported before stays."""
        for root in roots:
            if not os.path.isabs(root) or "\0" in root:
                raise AccessRefusedError(f"the class root {root!r} is not an absolute path")
        self._found.clear()
        self._files.clear()
        self._roots = [Root(path, os.path.join(os.path.realpath(path), "")) for path in dict.fromkeys(roots)]
        self._search_path.set_roots(self.roots)

    def load(self, name: str) -> type:
        """The class of a PHP class name. Runs its file's code if that is not loaded yet.

        Below `Tortoise\\Python` stand Python's own exceptions.

        Raises `AccessRefusedError` if there is no such file, `ImportError` if the file has no such class, and
        whatever the file itself raises.
        """
        if (known := self._found.get(name)) is not None:
            module_name, module, names = known
            if sys.modules.get(module_name) is module and (cls := _class_of(module, names)) is not None:
                return cls
        if (builtin := naming.builtin_exception(name)) is not None:
            cls = _class_of(builtins, [builtin])
            if cls is not None and classes.is_subclass(cls, BaseException):
                return cls
        candidates = naming.candidates(name)
        if candidates is None:
            raise AccessRefusedError(f"{shortened(name)} is not the name of a Python class")
        found = self._find_class(name, candidates)
        module_name, module, is_new = import_file(found)
        cls = _class_of(module, candidates.classes)
        if cls is None:
            if is_new:
                forget(module_name)
            raise ImportError(
                _missing_class(found.file, candidates.classes, module), name=module.__name__, path=found.file
            )
        if len(self._found) >= MAX_FOUND_NAMES:
            self._found.clear()
        self._found[name] = (module_name, module, candidates.classes)
        return cls

    @property
    def roots(self) -> list[str]:
        """The class roots, as they were given."""
        return [root.path for root in self._roots]

    def find(self, parts: Sequence[str]) -> Found | None:
        """The file of exactly this relative path, `.py` or a package, in the first root that has one."""
        for root in self._roots:
            path = os.path.join(root.path, *parts)
            for file in (f"{path}.py", os.path.join(path, "__init__.py")):
                if os.path.isfile(file):
                    return Found(root, tuple(parts), file)
        return None

    def import_file(self, found: Found) -> types.ModuleType:
        """The module of a file, the one that its classes come from.

        Raises `AccessRefusedError` if the file is a link out of its root, and what its code raises.
        """
        known = self._known(found)
        if known is not None:
            return known[1]
        if len(self._files) >= MAX_FOUND_NAMES:
            self._files.clear()
        name, module, _ = import_file(_within(found))
        self._files[found.file] = (name, module)
        return module

    def import_by_own_name(self, found: Found) -> types.ModuleType | None:
        """The module of a file if Python's `import` of its dotted name gives it, else None."""
        name, known = ".".join(found.parts), self._known(found)
        if known is not None:
            return known[1] if known[0] == name else None
        importlib.invalidate_caches()
        return self.import_file(found) if is_found_as(name, _within(found)) else None

    def holds(self, module: types.ModuleType) -> bool:
        """Whether a module comes from a class root, by a path that could be imported from there.

        So a virtual environment in a class root does not make its packages modules of the root.
        """
        namespace = types.ModuleType.__dict__["__dict__"].__get__(module)
        file = namespace.get("__file__")
        if type(file) is str:
            return self._holds_path(file)
        # A folder without `__init__.py` may be divided over several places.
        try:
            places = list(namespace.get("__path__", ()))
        except Exception:
            return False
        return bool(places) and all(type(place) is str and self._holds_path(place) for place in places)

    def _known(self, found: Found) -> tuple[str, types.ModuleType] | None:
        """The module of a file with its name, if it is still the one. `import` takes a while to find out."""
        known = self._files.get(found.file)
        return known if known is not None and sys.modules.get(known[0]) is known[1] else None

    def _holds_path(self, path: str) -> bool:
        real = os.path.join(os.path.realpath(path), "")
        for root in self._roots:
            if real.startswith(root.real):
                *folders, last = real[len(root.real) : -1].split(os.sep)
                names = [*folders, last.split(".", 1)[0]]
                return names == [""] or all(map(str.isidentifier, names))
        return False

    def parts_of(self, file: str) -> tuple[str, ...] | None:
        """The relative path of a class file, in parts and without `.py`; None if it stands under no root."""
        real = os.path.realpath(file)
        for root in self._roots:
            if real.startswith(root.real) and real.endswith(".py"):
                parts = tuple(real[len(root.real) : -len(".py")].split(os.sep))
                return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
        return None

    def shares_its_name(self, cls: type, name: str, parts: Sequence[str]) -> bool:
        """Whether another spelling of a class's PHP name means another class of the class file `parts`."""
        module = sys.modules.get(classes.module_of(cls))
        spellings = naming.spellings(parts)
        if module is None or naming.lower(name) not in map(naming.lower, spellings):
            return False
        candidates = (naming.candidates(spelling) for spelling in spellings)
        return any(each is not None and _class_of(module, each.classes) is not cls for each in candidates)

    def _find_class(self, name: str, candidates: naming.Candidates) -> Found:
        for root in self._roots:
            for parts in candidates.files:
                file = os.path.join(root.path, *parts) + ".py"
                if os.path.isfile(file):
                    return _within(Found(root, parts, file))
        searched = ", ".join(root.path for root in self._roots) or "no class root at all"
        raise AccessRefusedError(f"there is no class file for {name} under {searched}")


def _within(found: Found) -> Found:
    if not os.path.realpath(found.file).startswith(found.root.real):
        raise AccessRefusedError(f"{found.file} is a symbolic link out of the class root {found.root.path}")
    return found


def _class_of(module: types.ModuleType, names: Sequence[str]) -> type | None:
    """The first of `names` that is a class in the module: as spelled, then in any case, as PHP compares."""
    namespace = vars(module)
    for name in names:
        found = namespace.get(name)
        if classes.is_class(found):
            return found
    lowered = {naming.lower(name): value for name, value in namespace.items() if classes.is_class(value)}
    return next((lowered[naming.lower(name)] for name in names if naming.lower(name) in lowered), None)


def _missing_class(file: str, names: Sequence[str], module: types.ModuleType) -> str:
    defined = [
        name
        for name, value in vars(module).items()
        if classes.is_class(value)
        and classes.module_of(value) == module.__name__
        and not name.startswith("_")
    ]
    listed = ", ".join(defined[:MAX_LISTED_NAMES]) + (", …" if len(defined) > MAX_LISTED_NAMES else "")
    looked_for = " or ".join(names)
    return f"{file} defines no class {looked_for}; it defines {listed or 'no class at all'}"


def shortened(name: str) -> str:
    """A name from outside, as it is shown in a message."""
    return repr(name if len(name) <= 80 else name[:80] + "…")
