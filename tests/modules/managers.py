"""Context managers of many kinds, and a log of what they saw."""

import contextlib
import gc
import sys
import threading
from collections.abc import Iterator
from typing import Any

log: list[str] = []
lock = threading.Lock()
last: Any = None


@contextlib.contextmanager
def session(name: str, swallow: bool = False) -> Iterator[str]:
    log.append(f"enter {name}")
    try:
        yield name.upper()
    except BaseException as error:
        log.append(f"{type(error).__name__}: {error}")
        if not swallow:
            raise
    finally:
        log.append(f"leave {name}")


class Manager:
    """Remembers what `__exit__` was given."""

    def __init__(self, answer: Any = None, exit_error: str | None = None, enter_error: str | None = None) -> None:
        self.answer = answer
        self.exit_error = exit_error
        self.enter_error = enter_error
        self.left = 0

    def __enter__(self) -> "Manager":
        if self.enter_error:
            raise ValueError(self.enter_error)
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> Any:
        global last
        self.left += 1
        last = error
        if error is not None:
            assert kind is type(error) and sys.exc_info()[1] is error and traceback is not None
        match self.exit_error:
            case None:
                return self.answer
            case "same":
                raise error
            case "unchained":
                raise ValueError("unchained") from None
            case text:
                raise ValueError(text)


def fail() -> None:
    raise KeyError("fail")


def write_at_exit(path: str, name: str) -> Any:
    """A manager that appends to a file when it is left."""

    @contextlib.contextmanager
    def manager() -> Iterator[None]:
        reason = "nothing"
        try:
            yield
        except BaseException as error:
            reason = type(error).__name__
            raise
        finally:
            with open(path, "a") as file:
                file.write(f"{name} {reason}\n")

    return manager()


class HalfManager:
    def __enter__(self) -> None: ...


class Unreadable:
    def __enter__(self) -> str:
        return "\ud800"

    def __exit__(self, *seen: object) -> None:
        log.append(f"unreadable {seen[0]}")


def posing() -> Any:
    """An object that has what a context manager's class must have."""

    class Posing:
        pass

    made = Posing()
    made.__enter__ = made.__exit__ = lambda *_: None  # type: ignore[attr-defined]
    return made


def facts() -> dict[str, Any]:
    names = ("class_name", "message", "code", "file", "line")
    return {"type": type(last).__qualname__, "str": str(last), **{name: getattr(last, name) for name in names}}


def exceptions() -> int:
    """How many exceptions are alive."""
    global last
    last = None
    gc.collect()
    return sum(isinstance(each, Exception) for each in gc.get_objects())
