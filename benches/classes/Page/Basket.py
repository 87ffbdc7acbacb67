"""One of the three classes of the page."""


class Page_Basket:
    """What the customer has chosen."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []

    def add(self, title: str, cents: int) -> int:
        """Add a line and return how many there are."""
        self.lines.append((title, cents))
        return len(self.lines)

    def total(self) -> int:
        """Return the sum in cents."""
        return sum(cents for _, cents in self.lines)
