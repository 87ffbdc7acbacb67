"""What a value is that does not fit its parameter."""

SHOWN = 60
"""Characters of a value that a message shows."""


class MisfitError(Exception):
    """A value that does not fit; where it stands in the argument is added on the way out."""

    def __init__(self, expected: str, value: object, why: str = "") -> None:
        self.steps: list[int | str] = []
        shown = repr(value)
        shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"
        self.reason = f"expected {expected}, got {type(value).__name__} {shown}" + (f": {why}" if why else "")
        super().__init__(self.reason)

    def below(self, step: int | str) -> "MisfitError":
        """The same, with the step that leads to it from outside."""
        self.steps.insert(0, step)
        return self


def name_of(annotation: object) -> str:
    """An annotation, for people."""
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")
