"""Reads a class's members and signatures without running any of its code: no attribute is asked for, only looked up."""

import functools
import inspect
import re
import sys
import types
import typing
from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tortoise_worker._native import MAX_DOCUMENTATION_BYTES, MAX_NAME_BYTES, MAX_PARAMETERS, is_identifier

# The attributes of a class as `type` has them: a metaclass may have put something else over each.
type_module = type.__dict__["__module__"]
type_qualname = type.__dict__["__qualname__"]
type_flags = type.__dict__["__flags__"]
_type_name = type.__dict__["__name__"]
_type_dict = type.__dict__["__dict__"]
_type_mro = type.__dict__["__mro__"]
_type_bases = type.__dict__["__bases__"]

# Bases that say how a class is used, and have nothing for PHP.
_MARKERS = (object, ABC, typing.Generic, typing.Protocol)

CONSTRUCTOR = "__construct"

# The kinds of a method on the wire.
INSTANCE, STATIC, CLASS, CONSTRUCT = range(4)

MAX_DEFAULT_BYTES = 4 << 10
"""Bytes of a default that is written into PHP source."""
MAX_CONSTANT_BYTES = 64 << 10
"""Bytes of a text or bytes as a constant."""
MAX_CONSTANT_DEPTH = 8
MAX_CONSTANT_ITEMS = 1000
"""Items of a constant with all that is nested in it."""
MAX_SOURCE_BYTES = 1 << 20
"""Bytes of a source file that is searched for the line of a class."""

Parameters = list[list[Any]]
"""Parameters as the wire has them: `[name, kind]`, `[name, kind, []]` or `[name, kind, [default]]`."""

# From 3.14 on annotations are code that runs when somebody looks; as strings they do not.
_SIGNATURE_OPTIONS: dict[str, Any] = {}
if sys.version_info >= (3, 14):
    import annotationlib

    _SIGNATURE_OPTIONS["annotation_format"] = annotationlib.Format.STRING


class Member(NamedTuple):
    """A method as the wire has it."""

    name: str
    kind: int
    parameters: Parameters | None
    """None if anything may be passed: Python cannot tell."""
    documentation: str | None
    line: int


def namespace_of(cls: type) -> Mapping[str, Any]:
    """The class's own attributes."""
    return typing.cast(Mapping[str, Any], _type_dict.__get__(cls))


def mro_of(cls: type) -> tuple[type, ...]:
    """The class and its bases, in the order in which Python asks them."""
    return typing.cast(tuple[type, ...], _type_mro.__get__(cls))


def bases_of(cls: type) -> tuple[type | None, list[type]]:
    """The base that becomes the PHP parent, and the others. Exceptions have an exception for a parent."""
    bases = [base for base in _type_bases.__get__(cls) if base not in _MARKERS]
    if not bases:
        return None, []
    exceptions = [base for base in bases if BaseException in mro_of(base)]
    parent = exceptions[0] if exceptions else bases[0]
    return parent, [base for base in bases if base is not parent]


def documentation(text: object) -> str | None:
    """A docstring without its indentation, if it is one."""
    if type(text) is not str or not text.strip():
        return None
    encoded = inspect.cleandoc(text[:MAX_DOCUMENTATION_BYTES]).encode(errors="replace")
    return encoded[:MAX_DOCUMENTATION_BYTES].decode(errors="ignore")


def public_methods(cls: type) -> Iterator[Member]:
    """The class's own public methods, in the order of their definition."""
    for name, value in namespace_of(cls).items():
        if type(name) is not str or name.startswith("_") or not _is_name(name):
            continue
        bound = _bound(value)
        if bound is None:
            continue
        kind, function = bound
        yield Member(name, kind, _parameters(function, kind != STATIC), documentation(_doc(function)), _line(function))


def constructor_of(cls: type, parent: type | None, providers: Sequence[type]) -> Member | None:
    """What constructing the class takes; None if it is what the parent takes."""
    inherited_call = parent is not None and _metaclass_call(cls) is _metaclass_call(parent)
    makers = {"__init__", "__new__", "__signature__"}
    if inherited_call and not any(makers & namespace_of(provider).keys() for provider in providers):
        return None
    maker, parameters = _constructor_signature(cls)
    return Member(CONSTRUCTOR, CONSTRUCT, parameters, documentation(_doc(maker)), _line(maker))


def constants_of(cls: type) -> dict[str, Any]:
    """The class's own public upper-case attributes with values that a PHP constant can have."""
    return {
        name: value
        for name, value in namespace_of(cls).items()
        if type(name) is str
        and not name.startswith("_")
        and name.isupper()
        and _is_name(name)
        and _constant_items(value, MAX_CONSTANT_DEPTH) <= MAX_CONSTANT_ITEMS
    }


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
    name = re.escape(_type_name.__get__(cls).encode(errors="replace"))
    found = [match.start() for match in re.finditer(rb"^[ \t]*class[ \t]+" + name + rb"\b", text, re.MULTILINE)]
    lines = [text.count(b"\n", 0, start) + 1 for start in found]
    # A name can be defined twice: the methods stand behind the right one.
    before = [line for line in lines if not method_lines or line <= min(method_lines)]
    return before[-1] if before and method_lines else lines[0] if lines else 0


def _is_name(name: str) -> bool:
    return is_identifier(name) if name.isascii() or _is_text(name) else False


def _is_text(text: str) -> bool:
    try:
        return len(text.encode()) <= MAX_CONSTANT_BYTES
    except UnicodeEncodeError:
        return False


def _bound(value: object) -> tuple[int, object] | None:
    """How an attribute of a class is bound, and the function behind it; None if it is no method."""
    kind = type(value)
    if kind is staticmethod:
        return STATIC, typing.cast(Any, value).__func__
    if kind is classmethod:
        return CLASS, typing.cast(Any, value).__func__
    if kind is types.ClassMethodDescriptorType:
        return CLASS, value
    if kind is types.BuiltinFunctionType:
        return STATIC, value
    if kind is functools.partialmethod:
        return INSTANCE, value
    if isinstance(value, type) or kind is property:
        return None
    # Functions of any make, and what decorators put in their place, are descriptors that can be called.
    names = {name for base in mro_of(kind) for name in namespace_of(base)}
    return (INSTANCE, value) if {"__get__", "__call__"} <= names and "__set__" not in names else None


def _parameters(function: object, is_bound: bool) -> Parameters | None:
    """The parameters of a method, without the first if it is bound."""
    if type(function) is functools.partialmethod:
        return _partial_parameters(function)
    signature = _signature(function)
    if signature is None:
        return None
    parameters = list(signature.parameters.values())
    if is_bound and parameters:
        if parameters[0].kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            del parameters[0]
        elif parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            return None
    return _on_wire(parameters)


def _partial_parameters(method: functools.partialmethod[Any]) -> Parameters | None:
    signature = _signature(method.func)
    if signature is None:
        return None
    partial = functools.partial(lambda: None, None, *method.args, **method.keywords)
    try:
        signature.bind_partial(*partial.args, **partial.keywords)
    except TypeError:
        return None
    taken = set(list(signature.parameters)[: len(partial.args)])
    parameters = [
        parameter
        if parameter.name not in method.keywords
        else parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=method.keywords[parameter.name])
        for parameter in signature.parameters.values()
        if parameter.name not in taken or parameter.kind is inspect.Parameter.VAR_POSITIONAL
    ]
    return _on_wire(sorted(parameters, key=lambda parameter: parameter.kind))


def _on_wire(parameters: Sequence[inspect.Parameter]) -> Parameters | None:
    if len(parameters) > MAX_PARAMETERS or not all(_is_name(parameter.name) for parameter in parameters):
        return None
    on_wire: Parameters = []
    for parameter in parameters:
        if parameter.default is inspect.Parameter.empty:
            on_wire.append([parameter.name, int(parameter.kind)])
        elif _is_default(parameter.default):
            on_wire.append([parameter.name, int(parameter.kind), [parameter.default]])
        else:
            on_wire.append([parameter.name, int(parameter.kind), []])
    return on_wire


def _signature(function: object) -> inspect.Signature | None:
    """The signature of a function; None if Python cannot tell. Functions of Python's own make run nothing when asked."""
    kind = type(function)
    if kind.__module__ not in ("builtins", "functools"):
        wrapped = _instance_attribute(function, "__wrapped__")
        if type(wrapped) is not types.FunctionType:
            return None
        function = wrapped
    try:
        return inspect.signature(typing.cast(Callable[..., Any], function), **_SIGNATURE_OPTIONS)
    except (ValueError, TypeError, NameError, AttributeError, RecursionError):
        return None


def _constructor_signature(cls: type) -> tuple[object, Parameters | None]:
    """The function that decides what constructing takes, and its parameters."""
    declared = next((namespace_of(base)["__signature__"] for base in mro_of(cls) if "__signature__" in namespace_of(base)), 0)
    if isinstance(declared, inspect.Signature):
        return _maker(cls, "__init__"), _on_wire(list(declared.parameters.values()))
    call = _metaclass_call(cls)
    if call is not None:
        return call, _parameters(call, True)
    for base in mro_of(cls):
        if base is object:
            break
        makers = [namespace_of(base)[name] for name in ("__init__", "__new__") if name in namespace_of(base)]
        if not makers:
            continue
        if not any(type(_function(maker)) is types.FunctionType for maker in makers):
            return makers[0], _builtin_constructor(cls, base)
        signatures = [(_function(maker), _parameters(_function(maker), True)) for maker in makers]
        # Of `__init__` and `__new__` one often takes anything and leaves the other to look.
        return next((pair for pair in signatures if not _takes_anything(pair[1])), signatures[0])
    return None, []


def _builtin_constructor(cls: type, base: type) -> Parameters | None:
    """What a class that is written in C takes, if its docstring begins with that."""
    try:
        text = type.__dict__["__text_signature__"].__get__(base)
        return _on_wire(list(inspect.signature(base, **_SIGNATURE_OPTIONS).parameters.values())) if text else None
    except (ValueError, TypeError, AttributeError):
        return None


def _takes_anything(parameters: Parameters | None) -> bool:
    return parameters is None or all(kind in (2, 4) for _, kind, *_ in parameters) and bool(parameters)


def _metaclass_call(cls: type) -> object:
    """The `__call__` that the class's metaclass puts in front of `__new__` and `__init__`; None if it has none."""
    return next((namespace_of(base)["__call__"] for base in mro_of(type(cls)) if base is not type and "__call__" in namespace_of(base)), None)


def _maker(cls: type, name: str) -> object:
    return next((namespace_of(base)[name] for base in mro_of(cls) if name in namespace_of(base)), None)


def _function(value: object) -> object:
    return value.__func__ if type(value) in (staticmethod, classmethod) else value  # type: ignore[attr-defined]


def _instance_attribute(value: object, name: str) -> object:
    return inspect.getattr_static(value, name, None)


def _unwrapped(function: object) -> object:
    for _ in range(MAX_CONSTANT_DEPTH):
        wrapped = _instance_attribute(function, "__wrapped__")
        if wrapped is None:
            break
        function = wrapped
    return function


def _doc(function: object) -> object:
    if type(function) is functools.partialmethod:
        return _doc(function.func)
    if type(function) in (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.ClassMethodDescriptorType):
        return function.__doc__
    return _instance_attribute(function, "__doc__") if function is not None else None


def _line(function: object) -> int:
    if type(function) is functools.partialmethod:
        function = function.func
    function = _unwrapped(function)
    return function.__code__.co_firstlineno if type(function) is types.FunctionType else 0


def _is_default(value: object) -> bool:
    kind = type(value)
    if kind is int:
        return -(2**63) <= typing.cast(int, value) < 2**63
    if kind is str:
        return _is_text(typing.cast(str, value)) and len(typing.cast(str, value).encode()) <= MAX_DEFAULT_BYTES
    return value is None or kind in (bool, float)


def _constant_items(value: object, depth: int) -> int:
    """How many items a constant has; more than any limit if it is none."""
    kind = type(value)
    if kind in (list, tuple):
        items = typing.cast(Sequence[object], value)
        if depth == 0 or len(items) > MAX_CONSTANT_ITEMS:
            return MAX_CONSTANT_ITEMS + 1
        total = 1
        for item in items:
            total += _constant_items(item, depth - 1)
            if total > MAX_CONSTANT_ITEMS:
                break
        return total
    if kind is str:
        is_constant = _is_text(typing.cast(str, value))
    elif kind is bytes:
        is_constant = len(typing.cast(bytes, value)) <= MAX_CONSTANT_BYTES
    else:
        is_constant = _is_default(value)
    return 1 if is_constant else MAX_CONSTANT_ITEMS + 1
