"""Describes a Python class so that PHP can declare one like it, without running any code of the class.

What PHP could not take is left out: names that are no identifiers, and what is over the limits of the wire
(bases, methods and constants beyond their number; a signature of too many parameters takes anything; a long
docstring is cut). Members that were left out can still be called and read.
"""

import builtins
import hashlib
import os
import sys
import typing
from abc import ABC
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from tortoise_worker import classes, members, naming, php_bases, protocols
from tortoise_worker._native import (
    MAX_BASES,
    MAX_CONSTANTS,
    MAX_METHODS,
    MAX_NAME_BYTES,
    MAX_PATH_BYTES,
    encode,
)
from tortoise_worker.loader import Loader
from tortoise_worker.members import Member

FINGERPRINT_BYTES = 16

TRAIT_EXCEPTION = 0b01
TRAIT_ABSTRACT = 0b10
TRAIT_SHARED_NAME = 0b100

# Bases that say how a class is used, and have nothing for PHP.
_MARKERS: tuple[Any, ...] = (object, ABC, typing.Generic, typing.Protocol)


class Description(NamedTuple):
    """A class as the wire carries it."""

    cls: type
    fingerprint: bytes
    """A hash of the encoded description."""
    bases: list[type | None]
    """The classes of the description's bases, in its order; None for a PHP class."""
    encoded: bytes
    """The description, as MessagePack."""


class Describer:
    """Describes classes, each once."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        # By identity: a metaclass may say what it likes about equality. A description keeps its class alive.
        self._known: dict[int, tuple[Description, str]] = {}

    def forget(self) -> None:
        """Describes anew: the class roots, which decide over names, have changed."""
        self._known.clear()

    def describe(self, selector: str | type) -> Description:
        """The description of a class, or of the class of a PHP name, which is imported for it.

        Raises what `Loader.load` raises.
        """
        cls = selector if classes.is_class(selector) else self._loader.load(cast(str, selector))
        return self._describe(cls)[0]

    def php_name_of(self, cls: type) -> str:
        """The name that a class has in PHP."""
        return self._describe(cls)[1]

    def _describe(self, cls: type) -> tuple[Description, str]:
        """The description, and the PHP name in it."""
        known = self._known.get(id(cls))
        if known is None:
            known = self._known[id(cls)] = self._describe_anew(cls)
        return known

    def _describe_anew(self, cls: type) -> tuple[Description, str]:
        parent, others = _php_bases(cls)
        bases = [base for base in (parent, *others) if base is not None]
        described = [self._described_base(base) for base in bases]
        providers = [cls, *_not_inherited(cls, parent, others)]
        name, file, shares_its_name = self._name_and_file(cls)
        methods = _methods(cls, parent, providers, file)
        encoded = encode(
            [
                name,
                _limited(classes.module_of(cls)),
                _limited(classes.qualified_name_of(cls)),
                file,
                members.class_line(cls, file, [method.line for method in methods if method.line]),
                members.documentation(classes.namespace_of(cls).get("__doc__")),
                TRAIT_EXCEPTION * classes.is_subclass(cls, BaseException)
                | TRAIT_ABSTRACT * classes.is_abstract(cls)
                | TRAIT_SHARED_NAME * shares_its_name
                | protocols.traits_of(cls),
                [[base_name, base and base.fingerprint] for base, base_name in described],
                _constants(providers),
                [list(method) for method in methods],
                _properties(providers) if php_bases.ancestors(cls) else [],
            ]
        )
        fingerprint = hashlib.blake2b(encoded, digest_size=FINGERPRINT_BYTES).digest()
        return Description(cls, fingerprint, [base and base.cls for base, _ in described], encoded), name

    def _described_base(self, base: type) -> tuple[Description | None, str]:
        """The description of a base, and its PHP name. Of a PHP class only that: PHP has the rest."""
        php_name = php_bases.php_name_of(base)
        return (None, php_name) if php_name is not None else self._describe(base)

    def _name_and_file(self, cls: type) -> tuple[str, str | None, bool]:
        """The PHP name that a class asks for, its source file, and whether the name is shared."""
        module, qualified_name = classes.module_of(cls), classes.qualified_name_of(cls)
        file = _source_file(module)
        parts = self._loader.parts_of(file) if file else None
        if parts is not None:
            name = naming.of_class_file(parts, qualified_name)
            return name, file, self._loader.shares_its_name(cls, name, parts)
        is_builtin_exception = module == builtins.__name__ and classes.is_subclass(cls, BaseException)
        return naming.of_foreign_class(module, qualified_name, is_builtin_exception), file, False


def _php_bases(cls: type) -> tuple[type | None, list[type]]:
    """The base that becomes the PHP parent, and the others.

    An exception's parent is an exception, and one that `except Exception` catches if there is one. Before all
    others comes what is or extends a PHP class.
    """
    bases = [base for base in classes.bases_of(cls) if not any(base is marker for marker in _MARKERS)]
    exceptions = [base for base in bases if classes.is_subclass(base, BaseException)]
    usual = [base for base in exceptions if classes.is_subclass(base, Exception)]
    below_php = [base for base in bases if php_bases.ancestors(base)]
    parent = next(iter(below_php or usual or exceptions or bases), None)
    if parent is not None and below_php:
        php_bases.check_single_parent(cls, parent)
    return parent, [base for base in bases if base is not parent][: MAX_BASES - 1]


def _not_inherited(cls: type, parent: type | None, others: Sequence[type]) -> list[type]:
    """The classes whose members come to PHP only as members of the class itself."""
    passed = {id(base) for base in (cls, *_MARKERS, *(classes.mro_of(parent) if parent else ()))}
    found: list[type] = []
    for base in (base for other in others for base in classes.mro_of(other)):
        if id(base) not in passed and not php_bases.is_php(base):
            passed.add(id(base))
            found.append(base)
    return found


def _methods(cls: type, parent: type | None, providers: Sequence[type], file: str | None) -> list[Member]:
    """The constructor and the methods of all providers. Of the others, those that nobody else has."""
    inherited = classes.mro_of(parent) if parent else ()
    taken = {name for base in inherited for name in classes.namespace_of(base)}
    is_below_php = bool(php_bases.ancestors(cls))
    of_php = php_bases.methods(cls)
    methods: dict[str, Member] = {}
    constructor = members.constructor_of(cls, parent, providers, file)
    if constructor is not None:
        methods[constructor.name] = constructor
    for provider in providers:
        for method in members.public_methods(provider, file, of_php):
            if is_below_php:
                is_shown = php_bases.provider_of(cls, method.name) is provider
            else:
                is_shown = provider is cls or method.name not in taken
            if is_shown:
                methods.setdefault(method.name, method)
    return list(methods.values())[:MAX_METHODS]


def _constants(providers: Sequence[type]) -> list[list[Any]]:
    constants: dict[str, Any] = {}
    for provider in providers:
        for name, value in members.constants_of(provider).items():
            constants.setdefault(name, value)
    return [[name, value] for name, value in constants.items()][:MAX_CONSTANTS]


def _properties(providers: Sequence[type]) -> list[list[Any]]:
    """What may be the default of a property of the PHP class that the class extends."""
    properties: dict[str, Any] = {}
    for provider in providers:
        for name, value in members.properties_of(provider).items():
            properties.setdefault(name, value)
    return [[name, value] for name, value in properties.items()][:MAX_METHODS]


def _source_file(module: str) -> str | None:
    found = sys.modules.get(module)
    file = vars(found).get("__file__") if found is not None else None
    if type(file) is not str or not file.endswith(".py") or len(os.fsencode(file)) > MAX_PATH_BYTES:
        return None
    return file.encode(errors="replace").decode()


def _limited(name: str) -> str:
    return name.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore")
