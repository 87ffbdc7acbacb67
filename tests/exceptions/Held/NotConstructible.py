"""An exception class that makes none."""

from typing import Any


class Held_NotConstructible(Exception):
    def __new__(cls, *args: Any) -> Any:
        return super().__new__(cls) if not args else "no exception"
