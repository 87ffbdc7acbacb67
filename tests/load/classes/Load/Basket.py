"""What the page of the load test buys into."""

import time
from collections.abc import Callable

EDITION = 0
"""Which edition of this file a session runs: the load test writes a new one before each reload."""


class Load_Basket:
    """Counts what is bought."""

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self._prices: dict[str, int] = {}

    def add(self, name: str, price: int) -> int:
        """Buy something, and say how many things there are."""
        self._prices[name] = price
        return len(self._prices)

    def total(self) -> int:
        """What all of it costs."""
        return sum(self._prices.values())

    def discounted(self, discount: Callable[[int], int]) -> int:
        """What all of it costs, if PHP says what each thing does."""
        return sum(discount(price) for price in self._prices.values())

    def missing(self, name: str) -> int:
        """Fail, as code does that is asked for what is not there."""
        return self._prices[name]

    def edition(self) -> int:
        """Which edition of this file has made the basket."""
        return EDITION

    def rest(self, milliseconds: int) -> str:
        """Take a while."""
        time.sleep(milliseconds / 1000)
        return "rested"
