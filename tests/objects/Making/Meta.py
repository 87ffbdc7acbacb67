from typing import Any


class Maker(type):
    """Puts itself in front of the constructor."""

    def __call__(cls, size: int, *, colour: str = "red") -> Any:
        made = super().__call__()
        made.size, made.colour = size, colour
        return made


class Making_Meta(metaclass=Maker):
    """Is made by its metaclass."""
