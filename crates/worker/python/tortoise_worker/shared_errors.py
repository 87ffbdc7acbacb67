"""Exceptions of shared objects: how one goes to another process, and what becomes of it there."""

import builtins
from collections.abc import Sequence
from typing import Any

from tortoise_worker import classes, errors

MAX_ARGUMENTS = 16
"""Arguments of an exception that go along; the built-in ones have five at most."""


class SharedError(RuntimeError):
    """An exception of a shared object whose class is not one of Python's own, or the loss of the object."""

    # As users import it.
    __module__ = "tortoise_worker"

    def __init__(self, message: str, class_name: str | None = None) -> None:
        super().__init__(message if class_name is None else f"{class_name}: {message}")
        self.class_name = class_name
        """The name of its class in the process of the shared objects; None: the object was lost."""


class ConversionError(TypeError):
    """An object where shared objects take and give only values. The message says where it stands."""

    def is_from_client(self) -> bool:
        """Whether no code of the user's stands between the client and the one who raised this."""
        return errors.has_only_own_frames(self)


# Our own that mean something to the one who called.
_OWN: tuple[type[BaseException], ...] = (errors.AccessRefusedError, ConversionError, SharedError)

Told = tuple[str, str, Sequence[Any], str]
"""The name of the class, the message, arguments, the traceback."""


def told(exception: BaseException) -> Told:
    """What another process is told. The arguments may be no values."""
    _, name, message, _, _, (traceback, _) = errors.explain(exception)[0]
    return name, message, _arguments(exception)[:MAX_ARGUMENTS], traceback


def _arguments(exception: BaseException) -> tuple[Any, ...]:
    """What the exception could be made of once more."""
    if isinstance(exception, OSError) and exception.filename is not None:
        # The system's own exceptions keep the file apart.
        files = exception.filename, *([] if exception.filename2 is None else [None, exception.filename2])
        return exception.errno, exception.strerror, *files
    arguments: tuple[Any, ...] = BaseException.__dict__["args"].__get__(exception)
    return arguments


def made(name: str, message: str, arguments: Sequence[Any] | None, traceback: str) -> BaseException:
    """The exception that is raised for what was told. Without arguments its message is its only one."""
    exception = _of_class(_class_of(name), message, arguments)
    if exception is None:
        exception = SharedError(message, name)
    exception.add_note(f"In the process of the shared objects:\n{traceback.rstrip()}")
    return exception


def _class_of(name: str) -> type[BaseException] | None:
    for own in _OWN:
        if name == classes.display_name_of(own):
            return own
    found = getattr(builtins, name, None)
    return found if classes.is_class(found) and classes.is_subclass(found, Exception) else None


def _of_class(
    cls: type[BaseException] | None, message: str, arguments: Sequence[Any] | None
) -> BaseException | None:
    """None if the class takes neither."""
    if cls is None:
        return None
    for given in (arguments, (message,)):
        if given is not None:
            try:
                exception = cls(*given)
            except Exception:
                continue
            if str(exception) == message:
                return exception
    return None
