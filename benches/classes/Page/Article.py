"""One of the three classes of the page."""


class Page_Article:
    """What is for sale."""

    def __init__(self, number: int) -> None:
        self.number = number

    def title(self) -> str:
        """Return the article's title."""
        return f"article {self.number}"

    def price(self) -> int:
        """Return the price in cents."""
        return self.number * 100
