"""What happens at a request's first use of Python: Python's `logging` is sent to Kohana's log.

Its name has an underscore, so that no class of PHP's can mean this file.
"""

import logging
import threading
from collections import deque

import php

# Records of other threads that wait for a moment in which PHP can be asked. Older ones are dropped.
MAX_WAITING = 1000

_log = php.function("Tortoise_Service::log_records")

Record = tuple[int, str, str, str, int]
"""Level of Kohana's, logger, message, file, line."""


class KohanaHandler(logging.Handler):
    """Passes records on to `Kohana::$log`.

    Those of the thread that PHP's calls run in go at once. PHP may be busy when another thread logs, or a coroutine,
    which should not wait for it: their records go with the next one of that thread, or with the next request.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Record] = deque(maxlen=MAX_WAITING)

    def emit(self, record: logging.LogRecord) -> None:
        """What `logging` calls for each record."""
        try:
            level = _level(record.levelno)
            self._waiting.append((level, record.name, self.format(record), record.pathname, record.lineno))
        except Exception:
            self.handleError(record)
            return
        if getattr(_here, "has_begun", False):
            self.send()

    def send(self) -> None:
        """Sends what waits."""
        records: list[Record] = []
        while self._waiting:
            records.append(self._waiting.popleft())
        if not records:
            return
        try:
            _log(records)
        except (php.RequestOver, TimeoutError):
            # The next request takes them.
            self._waiting.extendleft(reversed(records))


_handler = KohanaHandler()

# Whether this is a thread that PHP's calls run in. Under thread isolation there are several of them.
_here = threading.local()


def begin(level: str | None) -> None:
    """Begins a request of PHP's whose log takes records from this level on, or none at all."""
    _here.has_begun = True
    root = logging.getLogger()
    if level is None:
        root.removeHandler(_handler)
        return
    if _handler not in root.handlers:
        root.addHandler(_handler)
    if _handler.level != logging.getLevelName(level):
        _handler.setLevel(level)
        root.setLevel(min(root.level, _handler.level) if root.level else _handler.level)
    _handler.send()


def end() -> None:
    """Ends a request: what other threads have logged goes to its log."""
    _handler.send()


def _level(number: int) -> int:
    """Kohana's level for one of `logging`."""
    levels = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
    return next((level for least, level in levels if number >= least), 7)
