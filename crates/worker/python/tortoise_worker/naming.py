"""Which file and which class of it a PHP class name means, and which PHP name a Python class asks for."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from tortoise_worker._native import MAX_NAME_BYTES, is_identifier

_FOREIGN_NAMESPACE = "Tortoise\\Python"

# What stays of a name when it becomes a part of a PHP name: ASCII letters, digits, `_` and all beyond ASCII.
_NOT_IN_IDENTIFIERS = re.compile(r"[^A-Za-z0-9_\u0080-\U0010ffff]")

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Candidates(NamedTuple):
    """Where the source of a PHP class may stand."""

    files: list[tuple[str, ...]]
    """Parts of relative paths without `.py`, in the order in which they are tried in each root."""
    classes: list[str]
    """Names that the class may have in the file, in the order in which they are tried."""


def candidates(name: str) -> Candidates | None:
    """The places of a PHP class name without a leading backslash, or None if it can be none of ours.

    `Foo_Bar` is `Foo/Bar.py`, then `foo/bar.py`, and in it a class `Foo_Bar` or `Bar`; `App\\Foo\\Bar` is
    `App/Foo/Bar.py`. Underscores divide the last segment only, as in PSR-0.
    """
    *namespace, last = name.split("\\")
    parts = (*namespace, *last.split("_"))
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES or not all(map(is_identifier, parts)):
        return None
    lowered = tuple(lower(part) for part in parts)
    files = [parts] if lowered == parts else [parts, lowered]
    classes = [last, *("_".join(parts[start:]) for start in range(len(parts)))]
    return Candidates(files, list(dict.fromkeys(classes)))


def builtin_exception(name: str) -> str | None:
    """The Python name of the built-in exception that a PHP name would be: `Tortoise\\Python\\KeyError`."""
    prefix = _FOREIGN_NAMESPACE + "\\"
    is_below = lower(name[: len(prefix)]) == lower(prefix)
    return name[len(prefix) :] if is_below and "\\" not in name[len(prefix) :] else None


def lower(name: str) -> str:
    """A name as PHP compares it: only ASCII letters have two cases."""
    return name.translate(_LOWER)


def of_class_file(parts: Sequence[str], qualified_name: str) -> str:
    """The PHP name of a class in the class file `parts`, by its Python name within the module."""
    names = [name for name in qualified_name.split(".") if name != "<locals>"]
    if len(names) == 1:
        for start in range(len(parts)):
            if lower("_".join(parts[start:])) == lower(names[0]):
                return _joined([*parts[:start], names[0]])
        prefix = "_".join(parts[:-1] or parts) + "_"
        if lower(names[0]).startswith(lower(prefix)):
            return _joined(names)
    return _joined([*parts, *names])


def spellings(parts: Sequence[str]) -> list[str]:
    """The PHP names that mean the class file `parts`: `App\\Foo\\Bar`, `App\\Foo_Bar` and `App_Foo_Bar`."""
    # Underscores divide the last segment only: a folder that has one cannot stand in it.
    first = max((place + 1 for place, part in enumerate(parts) if "_" in part), default=0)
    return ["\\".join((*parts[:start], "_".join(parts[start:]))) for start in range(first, len(parts))]


def of_foreign_class(module: str, qualified_name: str, is_builtin_exception: bool) -> str:
    """The PHP name of a class that stands in no class root."""
    modules = [] if is_builtin_exception else module.split(".")
    names = [name for name in qualified_name.split(".") if name != "<locals>"]
    return _joined([_FOREIGN_NAMESPACE, *modules, *names])


def _joined(parts: Sequence[str]) -> str:
    name = "\\".join(part if part == _FOREIGN_NAMESPACE else _identifier(part) for part in parts)
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore").rstrip("\\")


def _identifier(part: str) -> str:
    clean = _NOT_IN_IDENTIFIERS.sub("_", part.encode(errors="replace").decode())
    return f"_{clean}" if not clean or clean[0] in "0123456789" else clean
