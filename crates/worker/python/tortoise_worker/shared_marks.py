"""Marks classes for `shared()`: whether calls may come at the same time, and how long an object serves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, overload

from tortoise_worker import classes

_MARK = "__tortoise_shareable__"

_Class = TypeVar("_Class", bound=type)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a class says about its shared objects."""

    thread_safe: bool = False
    """Whether several threads may be in its methods at once. Otherwise calls wait for each other."""
    time_to_live: float | None = None
    """Seconds after which the next use makes the object anew. None: it lives as long as its process."""


@overload
def shareable(cls: _Class, /) -> _Class: ...


@overload
def shareable(
    *, thread_safe: bool = False, time_to_live: float | None = None
) -> Callable[[_Class], _Class]: ...


def shareable(
    cls: type | None = None, /, *, thread_safe: bool = False, time_to_live: float | None = None
) -> object:
    """Says how the objects of a class are shared. A class needs it only for what is not the default.

    `thread_safe`: calls of several sessions may run at the same time; otherwise one waits for the other.
    `time_to_live`: seconds, from when on the next use makes the object anew, with the arguments of its first
    caller. It holds for the class itself, not for those that extend it.

    Raises `ValueError` for a time that is not above zero.
    """
    if time_to_live is not None and not time_to_live > 0:
        raise ValueError(f"time_to_live must be a number of seconds above zero, not {time_to_live!r}")
    mark = Mark(thread_safe, time_to_live)

    def marked(cls: _Class) -> _Class:
        setattr(cls, _MARK, mark)
        return cls

    return marked if cls is None else marked(cls)


def mark_of(cls: type) -> Mark:
    """What a class says of itself, or the defaults."""
    mark = classes.namespace_of(cls).get(_MARK)
    return mark if isinstance(mark, Mark) else Mark()
