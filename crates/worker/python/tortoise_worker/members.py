"""Lists what a class itself defines: methods, constructor, constants, documentation, line."""

import functools
import inspect
import re
import types
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple, cast

from tortoise_worker import classes, php_bases, signatures
from tortoise_worker._native import MAX_DOCUMENTATION_BYTES
from tortoise_worker.classes import namespace_of
from tortoise_worker.literals import is_constant, is_name, is_property_default
from tortoise_worker.signatures import Parameters

CONSTRUCTOR = "__construct"
"""The name of a constructor on the wire. No method can have it: its first letter is not for clients."""

# How a method is bound, on the wire.
INSTANCE, STATIC, CLASS, CONSTRUCT = range(4)

MAX_SOURCE_BYTES = 1 << 20
"""Bytes of a source file that are searched for the line of a class."""

_CLASS_STATEMENT = re.compile(rb"^[ \t]*class[ \t]+([^\s:(\[\\]+)", re.MULTILINE)

_MAKERS = frozenset(("__init__", "__new__", "__signature__"))

_WITH_OWN_DOCUMENTATION = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)


class Member(NamedTuple):
    """A method as the wire has it."""

    name: str
    kind: int
    parameters: Parameters | None
    """None if anything may be passed: Python cannot tell."""
    documentation: str | None
    line: int


def public_methods(cls: type, file: str | None, of_php: Collection[str] = frozenset()) -> Iterator[Member]:
    """The class's own public methods, in the order of their definition. Only those in `file` have a line.

    A name that begins with an underscore is public if it is one of `of_php`, the methods of a PHP class.
    """
    for name, value in namespace_of(cls).items():
        if not is_name(name) or name.startswith("__" if name in of_php else "_"):
            continue
        bound = _bound(value)
        if bound is not None:
            kind, function = bound
            yield _member(name, kind, function, signatures.of_method(function, kind != STATIC), file)


def constructor_of(
    cls: type, parent: type | None, providers: Sequence[type], file: str | None
) -> Member | None:
    """What constructing the class takes; None if it takes what its parent takes.

    `providers` are the class and those of its bases that PHP does not inherit from.
    """
    is_own = parent is None or signatures.metaclass_call(cls) is not signatures.metaclass_call(parent)
    if not is_own and not any(_MAKERS & namespace_of(provider).keys() for provider in providers):
        return None
    if php_bases.ancestors(cls) and all(php_bases.provider_of(cls, maker) is None for maker in _MAKERS):
        # PHP's own constructor comes first.
        return None
    maker, parameters = signatures.of_constructor(cls)
    return _member(CONSTRUCTOR, CONSTRUCT, maker, parameters, file)


def constants_of(cls: type) -> dict[str, Any]:
    """The class's own public upper-case attributes with values that a PHP constant can have."""
    return {
        name: value
        for name, value in namespace_of(cls).items()
        if is_name(name) and name.isupper() and not name.startswith("_") and is_constant(value)
    }


def properties_of(cls: type) -> dict[str, Any]:
    """The class's own attributes that can be the default of a PHP property, but for constants."""
    return {
        name: value
        for name, value in php_bases.attributes_of(cls)
        if is_name(name)
        and not name.startswith("__")
        and (name.startswith("_") or not name.isupper())
        and is_property_default(value)
    }


def documentation(text: object) -> str | None:
    """A docstring without its indentation, if it is one. A long one is cut."""
    if type(text) is not str or not text.strip():
        return None
    encoded = inspect.cleandoc(text[:MAX_DOCUMENTATION_BYTES]).encode(errors="replace")
    return encoded[:MAX_DOCUMENTATION_BYTES].decode(errors="ignore")


def class_line(cls: type, file: str | None, method_lines: Sequence[int]) -> int:
    """The line of the class statement, or 0. Python knows it from 3.13 on; before, the source is searched."""
    known = namespace_of(cls).get("__firstlineno__")
    if type(known) is int:
        return max(known, 0)
    if file is None:
        return 0
    try:
        with open(file, "rb") as source:
            text = source.read(MAX_SOURCE_BYTES)
    except OSError:
        return 0
    name = classes.name_of(cls).encode(errors="replace")
    statements = (found for found in _CLASS_STATEMENT.finditer(text) if found[1] == name)
    lines = [text.count(b"\n", 0, statement.start()) + 1 for statement in statements]
    # A name can be defined twice: the methods stand behind the right one.
    last = min(method_lines, default=0)
    return max((line for line in lines if line <= last), default=lines[0] if lines else 0)


def _member(
    name: str, kind: int, function: object, parameters: Parameters | None, file: str | None
) -> Member:
    source = signatures.unwrapped(function)
    code = source.__code__ if type(source) is types.FunctionType else None
    line = code.co_firstlineno if code is not None and code.co_filename == file else 0
    return Member(name, kind, parameters, documentation(_documentation_of(function)), line)


def _bound(value: object) -> tuple[int, object] | None:
    """How an attribute of a class is bound, and the function behind it; None if it is no method."""
    kind = type(value)
    if kind is staticmethod:
        return STATIC, signatures.function_of(value)
    if kind is classmethod:
        return CLASS, signatures.function_of(value)
    if kind is types.ClassMethodDescriptorType:
        return CLASS, value
    if kind is types.BuiltinFunctionType:
        return STATIC, value
    if kind is functools.partialmethod:
        return INSTANCE, value
    if kind is functools.singledispatchmethod:
        return _bound(cast(Any, value).func)
    if classes.is_class(value):
        return None
    # Functions of any make, and what decorators put in their place, are descriptors that can be called.
    has = {name for name in ("__get__", "__call__", "__set__") if classes.inherited(kind, name) is not None}
    return (INSTANCE, value) if has == {"__get__", "__call__"} else None


def _documentation_of(function: object) -> object:
    if type(function) is functools.partialmethod:
        function = function.func
    if type(function) in _WITH_OWN_DOCUMENTATION:
        return function.__doc__
    return inspect.getattr_static(function, "__doc__", None) if function is not None else None
