"""What a person sees while it runs: on standard error, one line that changes, or a line every ten seconds in a log."""

import sys
from types import TracebackType
from typing import Self

from .actions import Action

SECONDS_OF_A_LINE = 10


class Progress:
    """Says how far the run is. What fails is said at once, and stays."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._told = 0
        self._lines = 0
        self._live = sys.stderr.isatty()

    def show(self, elapsed: float, actions: list[Action], requests: int, bad: int) -> None:
        """Another second, or more, is over."""
        for action in actions[self._told :]:
            if action.error:
                self._write(f"{self._clear()}{_clock(elapsed)}  {action.command} failed: {action.error}\n")
        self._told = len(actions)
        last = f"  {actions[-1].command} {actions[-1].seconds * 1000:.0f} ms" if actions else ""
        line = f"{_clock(elapsed)} of {_clock(self._seconds)}{last}  {requests:,} requests, {bad} failed"
        if self._live:
            self._write(f"{self._clear()}{line}")
        elif elapsed // SECONDS_OF_A_LINE > self._lines:
            self._lines = int(elapsed // SECONDS_OF_A_LINE)
            self._write(f"{line}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._write(self._clear())

    def _clear(self) -> str:
        return "\r\033[K" if self._live else ""

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
