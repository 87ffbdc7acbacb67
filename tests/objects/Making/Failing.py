"""A class whose constructor fails in the way it is asked to."""


class Making_Failing:
    made = 0

    def __init__(self, kind: str) -> None:
        Making_Failing.made += 1
        if kind == "value":
            raise ValueError("bad value")
        if kind == "own":
            raise Making_FailingError("own failure")
        if kind == "exit":
            raise SystemExit(3)
        self.kind = kind

    @classmethod
    def count(cls) -> int:
        return cls.made


class Making_FailingError(Exception):
    """An exception of the file."""
