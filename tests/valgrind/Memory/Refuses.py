"""A class whose objects are never made."""

from Memory.Probe import Memory_Probe


class Memory_Refuses(Memory_Probe):
    """Raises in its constructor."""

    def __init__(self, value: object) -> None:
        raise Memory_Error("refused", value)

    def never(self, a, b, /, c, *d, e, f=object(), **g):
        """Has every kind of parameter."""


class Memory_Error(Exception):
    """An exception of the class root, with more arguments than a message."""

    def __init__(self, message: str, value: object) -> None:
        super().__init__(message)
        self.value = value
