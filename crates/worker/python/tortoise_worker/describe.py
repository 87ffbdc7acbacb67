"""Describes a Python class so that PHP can declare one like it, without running any code of the class.

What PHP could not take is left out: names that are no identifiers, and what is over the limits of the wire
(bases, methods, constants beyond their number; a signature with too many parameters becomes "takes anything"; long
docstrings are cut). Left-out members can still be called and read.
"""

import builtins
import hashlib
import inspect
import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from tortoise_worker import naming
from tortoise_worker._native import MAX_BASES, MAX_CONSTANTS, MAX_METHODS, MAX_NAME_BYTES, MAX_PATH_BYTES, encode
from tortoise_worker.introspect import (
    CONSTRUCTOR,
    Member,
    bases_of,
    class_line,
    constants_of,
    constructor_of,
    documentation,
    mro_of,
    namespace_of,
    public_methods,
    type_flags,
    type_module,
    type_qualname,
)
from tortoise_worker.loader import Loader

FINGERPRINT_BYTES = 16

TRAIT_EXCEPTION = 0b01
TRAIT_ABSTRACT = 0b10


class Description(NamedTuple):
    """A class as the wire carries it."""

    cls: type
    fingerprint: bytes
    """A hash of the encoded description."""
    bases: list[type]
    """The classes of the description's bases, in its order."""
    encoded: bytes
    """The description, as MessagePack."""


class Describer:
    """Describes classes, each once."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        # By identity, as a metaclass may say what it likes about equality. The description keeps the class alive.
        self._known: dict[int, tuple[Description, str]] = {}

    def forget(self) -> None:
        """Describes anew: the class roots, which decide over names, have changed."""
        self._known.clear()

    def describe(self, selector: str | type) -> Description:
        """The description of a class, or of the class of a PHP name, which is imported for it."""
        cls = self._loader.load(selector) if isinstance(selector, str) else selector
        return self._describe(cls)[0]

    def _describe(self, cls: type) -> tuple[Description, str]:
        known = self._known.get(id(cls))
        if known is None:
            known = self._known[id(cls)] = self._describe_anew(cls)
        return known

    def _describe_anew(self, cls: type) -> tuple[Description, str]:
        parent, others = bases_of(cls)
        bases = [base for base in (parent, *others) if base is not None][:MAX_BASES]
        described = [self._describe(base) for base in bases]
        providers = [cls, *_only_through(others, parent, cls)]
        name, file = self._name_and_file(cls)
        constructor = constructor_of(cls, parent, providers)
        methods = list(_unique(([constructor] if constructor else []), providers))[:MAX_METHODS]
        constants: dict[str, Any] = {}
        for provider in providers:
            constants = {**constants_of(provider), **constants}
        flags = type_flags.__get__(cls)
        traits = TRAIT_EXCEPTION * issubclass_of(cls, BaseException)
        traits |= TRAIT_ABSTRACT * bool(flags & inspect.TPFLAGS_IS_ABSTRACT)
        encoded = encode(
            [
                name,
                _text(_module_of(cls)),
                _text(type_qualname.__get__(cls)),
                file,
                class_line(cls, file, [method.line for method in methods if method.line]),
                documentation(namespace_of(cls).get("__doc__")),
                traits,
                [[base_name, base.fingerprint] for base, base_name in described],
                [[key, value] for key, value in constants.items()][:MAX_CONSTANTS],
                [list(method) for method in methods],
            ]
        )
        fingerprint = hashlib.blake2b(encoded, digest_size=FINGERPRINT_BYTES).digest()
        return Description(cls, fingerprint, bases, encoded), name

    def _name_and_file(self, cls: type) -> tuple[str, str | None]:
        """The PHP name that a class asks for, and its source file."""
        module, qualified_name = _module_of(cls), type_qualname.__get__(cls)
        file = vars(sys.modules[module]).get("__file__") if module in sys.modules else None
        if not isinstance(file, str) or not file.endswith(".py") or len(os.fsencode(file)) > MAX_PATH_BYTES:
            file = None
        parts = self._loader.parts_of(file) if file else None
        if parts is not None:
            return naming.of_class_file(parts, qualified_name), file
        is_builtin_exception = module == builtins.__name__ and issubclass_of(cls, BaseException)
        return naming.of_foreign_class(module, qualified_name, is_builtin_exception), file


def issubclass_of(cls: type, other: type) -> bool:
    """`issubclass` by the method resolution order alone, without asking a metaclass."""
    return any(base is other for base in mro_of(cls))


def _only_through(others: list[type], parent: type | None, cls: type) -> list[type]:
    """The classes whose members PHP does not inherit from the parent."""
    inherited = {id(base) for base in (*(mro_of(parent) if parent else ()), cls, object)}
    found: list[type] = []
    for other in others:
        for base in mro_of(other):
            if id(base) not in inherited:
                inherited.add(id(base))
                found.append(base)
    return found


def _unique(first: list[Member], providers: list[type]) -> Iterator[Member]:
    """The members of several classes; of one name, the first."""
    seen: set[str] = set()
    members = [*first, *(method for provider in providers for method in public_methods(provider))]
    for member in members:
        if member.name not in seen and member.name != CONSTRUCTOR or member in first:
            seen.add(member.name)
            yield member


def _module_of(cls: type) -> str:
    module = type_module.__get__(cls)
    return module if isinstance(module, str) else "?"


def _text(text: str) -> str:
    return text.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore")
