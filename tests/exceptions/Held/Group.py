"""Groups of an application's own."""


class Held_Group(ExceptionGroup):
    """A group of the application's own."""

    def count(self) -> int:
        return len(self.exceptions)


class Held_OddGroup(ValueError, ExceptionGroup):
    """Its PHP parent is ValueError."""
