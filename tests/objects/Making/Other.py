from types import SimpleNamespace
from typing import Any


class Making_Other:
    """Gives an object of another class."""

    def __new__(cls, value: Any = None) -> Any:
        return SimpleNamespace(value=value)
