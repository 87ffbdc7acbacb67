"""What is asked of PHP by one call: configuration, translations, log, request."""

from collections.abc import Mapping
from typing import Any, NoReturn

import php

_LEVELS = {
    "emergency": 0,
    "alert": 1,
    "critical": 2,
    "error": 3,
    "warning": 4,
    "notice": 5,
    "info": 6,
    "debug": 7,
}

_config = php.function("Tortoise_Service::config")
_translate = php.function("Tortoise_Service::translate")
_log = php.function("Tortoise_Service::log")
_request = php.function("Request::current")
_redirect = php.function("Tortoise_Service::redirect")
_statuses = php.function("Tortoise_Service::statuses")


def config(key: str, default: Any = None) -> Any:
    """A value of the configuration, as `Kohana::$config->load($key)` gives it: `group`, or `group.key.key`.

    The default stands for what is not there, or null. A whole group is a dict.
    """
    found = _config(key)
    return default if found is None else found


def translate(text: str, values: Mapping[str, object] | None = None, language: str | None = None) -> str:
    """The text in the user's language, or another one, with the values put in: PHP's `__()`."""
    return _translate(text, _texts(values), language)


def log(level: str | int, message: str, values: Mapping[str, object] | None = None) -> None:
    """Adds a message to `Kohana::$log`. Levels are `emergency`, `alert`, `critical`, `error`, `warning`, `notice`,
    `info` and `debug`, or PHP's numbers of them.

    Raises ValueError if there is no such level.
    """
    number = _LEVELS.get(level.lower()) if isinstance(level, str) else level
    if number not in range(8):
        raise ValueError(f"there is no level {level!r} of Kohana's log; there are {', '.join(_LEVELS)}")
    _log(number, message, _texts(values))


def request() -> Any:
    """The request that is executed, an object of PHP's `Request`; None where there is none, as in a task."""
    return _request()


def redirect(uri: str = "", code: int = 302) -> NoReturn:
    """Ends the action and sends the browser to another page, as `HTTP::redirect` does."""
    _redirect(uri, code)
    raise AssertionError("a redirect always throws")


def statuses() -> dict[str, int]:
    """The HTTP statuses of Python exceptions, by the names of their classes."""
    return dict(_statuses())


def _texts(values: Mapping[str, object] | None) -> dict[str, str] | None:
    return None if values is None else {name: str(value) for name, value in values.items()}
