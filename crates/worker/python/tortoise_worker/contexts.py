"""The context managers that PHP has entered: `Tortoise\\with()` on Python's side."""

import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from tortoise_worker import _native, classes
from tortoise_worker.coroutines import Coroutines
from tortoise_worker.errors import AccessRefusedError, PhpException

Thrown = BaseException | tuple[str, str, int | str, str, int] | bool | None
"""What PHP threw: a Python exception; class, message, code, file and line of a PHP one; True if PHP left
without an exception, by `exit()` for one; None if nothing was thrown."""


class Entered(NamedTuple):
    """A manager whose `__enter__` has run and whose `__exit__` has not."""

    manager: object
    leave: Callable[..., Any]
    """The `__exit__` of its class, looked up before `__enter__` ran, as `with` does; or its `__aexit__`."""


class Contexts:
    """Contexts by their numbers, which are never used twice."""

    def __init__(self, coroutines: Coroutines) -> None:
        self._coroutines = coroutines
        self._entered: dict[int, Entered] = {}
        self._last = 0

    def enter(self, manager: object) -> tuple[int, object]:
        """The number of the context, and what `__enter__` gave. Raises what `__enter__` raises."""
        cls = type(manager)
        enter, leave = classes.inherited(cls, "__enter__"), classes.inherited(cls, "__exit__")
        if enter is None and leave is None:
            enter, leave = classes.inherited(cls, "__aenter__"), classes.inherited(cls, "__aexit__")
            if enter is not None and leave is not None:
                return self._add(manager, *(self._awaited(_bound(each, manager)) for each in (enter, leave)))
            enter = leave = None
        if enter is None or leave is None:
            missed = "__enter__" if enter is None else "__exit__"
            name = classes.display_name_of(cls)
            raise TypeError(f"an object of {name} is no context manager: its class has no {missed}")
        return self._add(manager, _bound(enter, manager), _bound(leave, manager))

    def _awaited(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Calls a coroutine function and waits for what it gives."""

        async def call(*arguments: object) -> Any:
            return await function(*arguments)

        def run(*arguments: object) -> Any:
            _native.check_loop()
            return self._coroutines.run(call(*arguments))

        return run

    def _add(
        self, manager: object, enter: Callable[..., Any], leave: Callable[..., Any]
    ) -> tuple[int, object]:
        value = enter()
        self._last += 1
        self._entered[self._last] = Entered(manager, leave)
        return self._last, value

    def leave(self, number: int, thrown: Thrown) -> bool:
        """Whether the manager took upon itself what was thrown. Raises what else `__exit__` raises."""
        entered = self._entered.pop(number, None)
        if entered is None:
            raise AccessRefusedError(f"context {number} is not entered, or not any more")
        if thrown is None:
            entered.leave(None, None, None)
            return False
        exception = _exception(thrown)
        before = exception.__traceback__
        try:
            # Raised, so that it is the context of what `__exit__` raises, and what `sys.exc_info()` tells.
            raise exception
        except BaseException as raised:
            try:
                return bool(entered.leave(type(raised), raised, raised.__traceback__))
            except BaseException as error:
                if error is raised:
                    return False
                raise
        finally:
            # The frames of this module are not of the user's program, and would keep themselves alive.
            exception.__traceback__ = before
            del exception, thrown

    def leave_all(self) -> None:
        """Leaves what is still entered, the last first: PHP's request ended in the middle.

        `__exit__` sees a `SystemExit`. What it raises goes to the log, for there is nobody else to tell.
        """
        while self._entered:
            try:
                self.leave(next(reversed(self._entered)), True)
            except BaseException:
                print("tortoise: __exit__ failed at the end of PHP's request:", file=sys.stderr)
                traceback.print_exc()


def _bound(function: Any, manager: object) -> Any:
    """A special method as Python itself looks it up: in the class, past the object's own attributes."""
    bind = classes.inherited(type(function), "__get__")
    return bind(function, manager, type(manager)) if callable(bind) else function


def _exception(thrown: BaseException | tuple[str, str, int | str, str, int] | bool) -> BaseException:
    if isinstance(thrown, tuple):
        return PhpException(*thrown)
    if thrown is True:
        return SystemExit("PHP left the body of Tortoise\\with() for good")
    # `isinstance` would believe an object that only poses as one.
    if classes.is_subclass(type(thrown), BaseException):
        return cast(BaseException, thrown)
    raise AccessRefusedError("what was thrown is no exception")
