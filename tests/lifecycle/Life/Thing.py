"""What the tests of a life of a process use: an object that tells of its session."""

import os

MADE = 0


class Life_Thing:
    """Counts how many of it were made in this session, and how many live."""

    SIDES = 2
    alive = 0

    def __init__(self, name: str = "thing", log: str | None = None) -> None:
        global MADE
        MADE += 1
        Life_Thing.alive += 1
        self.name = name
        self._log = log

    def __del__(self) -> None:
        Life_Thing.alive -= 1
        self.note(f"released {self.name}")

    def pid(self) -> int:
        """The process of the session."""
        return os.getpid()

    def made(self) -> int:
        """How many were made since the session began."""
        return MADE

    @staticmethod
    def living() -> int:
        """How many there are."""
        return Life_Thing.alive

    def note(self, line: str) -> None:
        """Writes a line to the log file that the constructor was given."""
        if self._log is not None:
            descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND)
            os.write(descriptor, f"{line}\n".encode())
            os.close(descriptor)
