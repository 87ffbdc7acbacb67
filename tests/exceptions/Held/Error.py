"""An application's own exception: raised in Python, constructed and thrown in PHP."""

from typing import Any


class Held_Error(Exception):
    """An account is held.

    Somebody must look at it.
    """

    LEVEL = 3

    def __init__(self, reason: str, account: int, *, hint: str | None = None) -> None:
        super().__init__(f"{reason}: {account}")
        self.account = account
        self.hint = hint
        self.code = "E42"
        self.previous = "before"
        self.add = lambda number: self.account + number

    @property
    def upper(self) -> str:
        """In capitals."""
        return str(self).upper()

    @property
    def broken(self) -> Any:
        raise RuntimeError("no such luck")

    def twice(self) -> int:
        return self.account * 2

    def me(self) -> "Held_Error":
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "guessed":
            return "by __getattr__"
        raise AttributeError(name)
