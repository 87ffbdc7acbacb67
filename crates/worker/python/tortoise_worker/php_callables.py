"""What PHP calls callables, where a parameter is annotated with `Callable`: the name of a function, a pair of
an object and the name of a method. Elsewhere a string is a string, and a list is a list.
"""

from typing import Any

from tortoise_worker._native import Function, Method, Object
from tortoise_worker.misfit import MisfitError


def php_callable(value: Any) -> object:
    """The callable for `'strlen'`, `'A::b'`, `['A', 'b']` or `[object, 'method']`."""
    if type(value) is str and value:
        return Function(value)
    if type(value) is list and len(value) == 2 and type(value[1]) is str:
        target, name = value
        if isinstance(target, Object):
            return Method(target, name)
        if type(target) is str and target and name:
            return Function(f"{target}::{name}")
        method = None if name.startswith("_") else getattr(target, name, None)
        if callable(method):
            return method
    raise MisfitError("a callable: a closure, the name of a function, or [object, 'method']", value)
