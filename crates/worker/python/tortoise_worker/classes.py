"""Looks a class up as `type` itself has it: its metaclass, which may be user code, is not asked."""

import inspect
from collections.abc import Mapping
from typing import Any, TypeGuard, cast

_ATTRIBUTES = type.__dict__


def name_of(cls: type) -> str:
    """`cls.__name__`."""
    return cast(str, _ATTRIBUTES["__name__"].__get__(cls))


def qualified_name_of(cls: type) -> str:
    """`cls.__qualname__`."""
    return cast(str, _ATTRIBUTES["__qualname__"].__get__(cls))


def module_of(cls: type) -> str:
    """`cls.__module__`, or `?` where somebody put something else there."""
    try:
        module = _ATTRIBUTES["__module__"].__get__(cls)
    except AttributeError:
        return "?"
    return module if type(module) is str else "?"


def display_name_of(cls: type) -> str:
    """The class as Python names it in a traceback: `module.Class`, and `Class` for a built-in one."""
    module, name = module_of(cls), qualified_name_of(cls)
    return name if module in ("builtins", "__main__") else f"{module}.{name}"


def namespace_of(cls: type) -> Mapping[str, Any]:
    """The class's own attributes."""
    return cast(Mapping[str, Any], _ATTRIBUTES["__dict__"].__get__(cls))


def mro_of(cls: type) -> tuple[type, ...]:
    """The class and its bases, in the order in which Python asks them."""
    return cast(tuple[type, ...], _ATTRIBUTES["__mro__"].__get__(cls))


def bases_of(cls: type) -> tuple[type, ...]:
    """`cls.__bases__`."""
    return cast(tuple[type, ...], _ATTRIBUTES["__bases__"].__get__(cls))


def text_signature_of(cls: type) -> str | None:
    """The signature that a class written in C declares."""
    return cast(str | None, _ATTRIBUTES["__text_signature__"].__get__(cls))


def is_abstract(cls: type) -> bool:
    """Whether the class has abstract methods."""
    return bool(_ATTRIBUTES["__flags__"].__get__(cls) & inspect.TPFLAGS_IS_ABSTRACT)


def is_class(value: object) -> TypeGuard[type]:
    """Whether a value is a class. `isinstance` would ask an object that only poses as one."""
    return issubclass(type(value), type)


def is_subclass(cls: type, other: type) -> bool:
    """Whether `other` is among the class's real bases, or the class itself."""
    return any(base is other for base in mro_of(cls))


def inherited(cls: type, name: str) -> object:
    """What the class or the first of its bases that has one holds under a name, or None."""
    return next((namespace_of(base)[name] for base in mro_of(cls) if name in namespace_of(base)), None)
