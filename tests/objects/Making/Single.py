class Making_Single:
    """There is one of it."""

    _one: "Making_Single | None" = None

    def __new__(cls) -> "Making_Single":
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    def __init__(self) -> None:
        self.times = getattr(self, "times", 0) + 1
