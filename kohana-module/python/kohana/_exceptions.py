"""Exceptions that are Kohana's own in PHP: the very objects that Kohana's `catch` blocks wait for."""

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import php
from kohana._asking import statuses

_http_exception = php.function("Tortoise_Service::http_exception")
_validation_exception = php.function("Tortoise_Service::validation_exception")

# Their frames are nobody's in particular.
_OWN_FOLDERS = (
    str(Path(__file__).absolute().parent) + os.sep,
    str(Path(sys.modules["tortoise_worker"].__file__ or "").absolute().parent) + os.sep,
)


class HTTPException(php.exception_class("HTTP_Exception")):  # type: ignore[misc]
    """An HTTP status that ends the request. In PHP it is an `HTTP_Exception_404`, or whatever the status is:

        raise kohana.HTTPException(404, "no book :id", {":id": 7})

    Raises ValueError if Kohana has no exception for the status.
    """

    def __init__(self, status: int, message: str | None = None, variables: Mapping[str, object] | None = None) -> None:
        texts = {name: str(value) for name, value in (variables or {}).items()}
        thrown = _http_exception(status, message, texts, _frames())
        if thrown is None:
            raise ValueError(f"Kohana has no exception for the HTTP status {status!r}")
        _become(self, thrown)
        self.status = status


class ValidationException(php.exception_class("Validation_Exception")):  # type: ignore[misc]
    """Data that did not pass, with the rule that each field broke. In PHP it is a `Validation_Exception`, whose
    `array->errors('messages')` gives the texts:

        raise kohana.ValidationException({"isbn": "is_valid", "title": ("max_length", [80])})

    It also takes a `Validation` of PHP's, which has the errors itself.
    """

    def __init__(
        self,
        errors: "Mapping[str, str | tuple[str, list[object]]] | php.Object",
        message: str = "Failed to validate array",
        data: Mapping[str, object] | None = None,
    ) -> None:
        if isinstance(errors, php.Object):
            thrown = _validation_exception(errors, [], message, _frames())
        else:
            rules = {field: [rule, []] if isinstance(rule, str) else list(rule) for field, rule in errors.items()}
            thrown = _validation_exception(dict(data or dict.fromkeys(rules)), rules, message, _frames())
        _become(self, thrown)
        self.validation = thrown["object"].array


Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def maps_exceptions(decorated: Decorated) -> Decorated:
    """Decorates an action, or a controller for all of its actions: what they raise becomes an HTTPException.

    The status is the one that `exceptions` in config/tortoise.php gives the class, or the nearest class above it:

        # 'exceptions' => array('LookupError' => 404, 'shop.errors.SoldOut' => 410)

        @kohana.maps_exceptions
        class Controller_Books(Controller): ...
    """
    if isinstance(decorated, type):
        for name, member in list(vars(decorated).items()):
            if name.startswith("action_") and callable(member):
                setattr(decorated, name, maps_exceptions(member))
        return decorated

    @functools.wraps(decorated)
    def action(*arguments: Any, **named: Any) -> Any:
        try:
            return decorated(*arguments, **named)
        except php.Exception:
            raise
        except Exception as error:
            status = _status_of(error)
            if status is None:
                raise
            raise HTTPException(status, str(error)) from error

    return action  # type: ignore[return-value]


def _status_of(error: Exception) -> int | None:
    """The status of an exception's class, by the configuration."""
    known = statuses()
    for cls in type(error).__mro__:
        name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
        if name in known:
            return known[name]
    return None


def _become(exception: BaseException, thrown: Mapping[str, Any]) -> None:
    """Makes a Python exception that of a PHP exception."""
    php.Exception.__init__(
        exception, thrown["class"], thrown["message"], thrown["code"], thrown["file"] or "", thrown["line"]
    )
    vars(exception)["object"] = thrown["object"]


def _frames() -> list[list[Any]]:
    """The application's functions that run, the innermost first: function, class or None, file, line."""
    frames = []
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OWN_FOLDERS):
            owner, _, name = code.co_qualname.rpartition(".")
            owner = owner.rpartition("<locals>")[2].removeprefix(".")
            frames.append([name, owner or None, code.co_filename, frame.f_lineno])
        frame = frame.f_back  # type: ignore[assignment]
    return frames
