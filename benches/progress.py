"""What a person sees while it runs: on standard error, one line that changes, or a line for each peer in a log."""

import sys
import time


class Progress:
    """Counts rounds and says what is running."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._round = 0
        self._who = ""
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()

    def round(self, number: int) -> None:
        """A round begins; the first is 0."""
        self._round = number

    def doing(self, who: str, what: str) -> None:
        """Something begins."""
        if self._live:
            self._write(f"\r\033[K{self._prefix()}  {who}: {what}")
        elif who != self._who:
            self._write(f"{self._prefix()}  {who}\n")
        self._who = who

    def note(self, text: str) -> None:
        """Say something that stays."""
        self._write(f"\r\033[K{text}\n" if self._live else f"{text}\n")

    def done(self) -> None:
        """Nothing runs any more."""
        self._write("\r\033[K" if self._live else f"{self._elapsed()} done\n")

    def _prefix(self) -> str:
        return f"{self._elapsed()} round {self._round + 1} of {self._rounds}"

    def _elapsed(self) -> str:
        seconds = int(time.monotonic() - self._begin)
        return f"{seconds // 60}:{seconds % 60:02}"

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
