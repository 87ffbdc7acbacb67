"""One of the three classes of the page."""


class Page_Customer:
    """Who looks at the page."""

    def __init__(self, number: int) -> None:
        self.number = number

    def name(self) -> str:
        """Return the customer's name."""
        return f"customer {self.number}"

    def discount(self, cents: int) -> int:
        """Return what this customer pays."""
        return cents * 9 // 10
