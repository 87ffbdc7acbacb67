"""What the tests of the channels ask a session to do."""

import os


class Port_Worker:
    """Answers, fails, and counts its siblings."""

    alive = 0

    def __init__(self) -> None:
        type(self).alive += 1

    def __del__(self) -> None:
        type(self).alive -= 1

    def pid(self) -> int:
        """The process of the session."""
        return os.getpid()

    def show(self, value: object) -> object:
        """Gives a value back."""
        return value

    def fail(self, what: str) -> None:
        """Raises."""
        raise KeyError(what)

    def count(self) -> int:
        """How many of this class are alive."""
        return type(self).alive
