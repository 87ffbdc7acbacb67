"""Commands that were run while the page was under load."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One of them."""

    command: str
    seconds: float
    error: str
    """What was wrong; empty: nothing."""
