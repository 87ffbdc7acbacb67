"""Finds out what methods and constructors take, without running any code of the user's."""

import functools
import inspect
import sys
import types
from collections.abc import Sequence
from typing import Any, cast

from tortoise_worker import classes
from tortoise_worker._native import MAX_PARAMETERS
from tortoise_worker.literals import is_default, is_name

Parameters = list[list[Any]]
"""Parameters as the wire has them: `[name, kind]`, `[name, kind, []]` or `[name, kind, [default]]`."""

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

# Decorators around decorators; nobody stacks more.
_MAX_WRAPPERS = 32

# From 3.14 on annotations are code that runs when somebody looks; as strings they do not.
_OPTIONS: dict[str, Any] = {}
if sys.version_info >= (3, 14):
    import annotationlib

    _OPTIONS["annotation_format"] = annotationlib.Format.STRING


def of_method(function: object, is_bound: bool) -> Parameters | None:
    """The parameters of a method, without the first if it is bound; None if Python cannot tell."""
    if type(function) is functools.partialmethod:
        return _of_partial(function)
    signature = _signature(function)
    if signature is None:
        return None
    parameters = list(signature.parameters.values())
    return _on_wire(_unbound(parameters) if is_bound else parameters)


def of_constructor(cls: type) -> tuple[object, Parameters | None]:
    """The function that decides what constructing a class takes, if there is one, and its parameters."""
    declared = classes.inherited(cls, "__signature__")
    if type(declared) is inspect.Signature:
        return classes.inherited(cls, "__init__"), _on_wire(list(declared.parameters.values()))
    call = metaclass_call(cls)
    if call is not None:
        return call, of_method(call, True)
    for base in classes.mro_of(cls):
        own = classes.namespace_of(base)
        makers = [function_of(own[name]) for name in ("__init__", "__new__") if name in own]
        if base is object or not makers:
            continue
        if all(type(maker) not in (types.FunctionType, functools.partialmethod) for maker in makers):
            return makers[0], _of_builtin_class(base)
        found = [(maker, of_method(maker, True)) for maker in makers]
        # Of `__init__` and `__new__` one often takes anything and leaves it to the other to look.
        return next((each for each in found if not _takes_anything(each[1])), found[0])
    return None, []


def metaclass_call(cls: type) -> object:
    """The `__call__` that a metaclass puts in front of `__new__` and `__init__`; None if it is `type`'s."""
    metaclasses = classes.mro_of(type(cls))
    owner = next((base for base in metaclasses if "__call__" in classes.namespace_of(base)), type)
    return None if owner is type else classes.namespace_of(owner)["__call__"]


def function_of(value: object) -> object:
    """The function behind a `staticmethod` or `classmethod`."""
    return cast(Any, value).__func__ if type(value) in (staticmethod, classmethod) else value


def unwrapped(function: object) -> object:
    """The function behind the decorators that say what they wrap."""
    if type(function) is functools.partialmethod:
        function = function.func
    for _ in range(_MAX_WRAPPERS):
        wrapped = inspect.getattr_static(function, "__wrapped__", None)
        if wrapped is None:
            break
        function = wrapped
    return function


def _signature(function: object) -> inspect.Signature | None:
    """The signature of a function; None if Python cannot tell.

    `inspect` asks a function for attributes. One of Python's own types runs nothing then; of others only the
    function that they wrap is looked at.
    """
    if classes.module_of(type(function)) not in ("builtins", "functools"):
        function = unwrapped(function)
        if type(function) is not types.FunctionType:
            return None
    try:
        return inspect.signature(cast(types.FunctionType, function), **_OPTIONS)
    except (ArithmeticError, AttributeError, NameError, RecursionError, SyntaxError, TypeError, ValueError):
        # Also what a broken `__text_signature__` or an odd `__wrapped__` makes of it.
        return None


def _unbound(parameters: list[inspect.Parameter]) -> list[inspect.Parameter] | None:
    if not parameters or parameters[0].kind in _BY_PLACE:
        return parameters[1:]
    return parameters if parameters[0].kind is inspect.Parameter.VAR_POSITIONAL else None


def _of_partial(method: functools.partialmethod[Any]) -> Parameters | None:
    """What is left to give: not what was given by place, and what was given by name only by name."""
    signature = _signature(method.func)
    parameters = _unbound(list(signature.parameters.values())) if signature else None
    if parameters is None:
        return None
    by_place = [parameter for parameter in parameters if parameter.kind in _BY_PLACE]
    given = {parameter.name for parameter in by_place[: len(method.args)]}
    left: list[inspect.Parameter] = []
    only_by_name = False
    for parameter in parameters:
        if parameter.name in given:
            continue
        if parameter.name in method.keywords and parameter.kind not in _VARIADIC:
            only_by_name = True
            parameter = parameter.replace(default=method.keywords[parameter.name])
        if only_by_name and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            parameter = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        left.append(parameter)
    return _on_wire(sorted(left, key=lambda parameter: parameter.kind))


def _of_builtin_class(cls: type) -> Parameters | None:
    """What a class that is written in C takes, if it says so."""
    try:
        if classes.text_signature_of(cls):
            return _on_wire(list(inspect.signature(cls, **_OPTIONS).parameters.values()))
    except (AttributeError, SyntaxError, TypeError, ValueError):
        pass
    return None


def _takes_anything(parameters: Parameters | None) -> bool:
    return parameters is None or (bool(parameters) and all(kind in _VARIADIC for _, kind, *_ in parameters))


def _on_wire(parameters: Sequence[inspect.Parameter] | None) -> Parameters | None:
    if parameters is None or len(parameters) > MAX_PARAMETERS:
        return None
    if not all(is_name(parameter.name) for parameter in parameters):
        return None
    on_wire: Parameters = []
    for parameter in parameters:
        fields = [parameter.name, int(parameter.kind)]
        if parameter.default is not inspect.Parameter.empty:
            fields.append([parameter.default] if is_default(parameter.default) else [])
        on_wire.append(fields)
    return on_wire
