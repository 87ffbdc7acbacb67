"""The class that every peer calls."""

from base64 import b64decode, b64encode
from typing import Any

ROWS: list[dict[str, Any]] = [
    {
        "id": number,
        "name": f"user number {number:06d} of the bench",
        "email": f"u{number:06d}@example.org",
        "score": number * 0.25,
        "active": number % 2 == 0,
    }
    for number in range(1_000)
]
FLOATS: list[float] = [number / 7.0 for number in range(100_000)]


class Bench:
    """Methods that do next to nothing, so that what is measured is the way to them and back."""

    def noop(self) -> None:
        """Do nothing."""

    def increment(self, number: int) -> int:
        """Return the next number."""
        return number + 1

    def record(self, number: int, name: str) -> dict[str, Any]:
        """Return a dict of five."""
        return {"id": number, "name": name, "score": number * 0.5, "ok": True, "tag": "t"}

    def rows(self, count: int) -> list[dict[str, Any]]:
        """Return up to 1,000 rows of five fields."""
        return ROWS[:count]

    def total(self, numbers: list[float]) -> float:
        """Return the sum."""
        return sum(numbers)

    def floats(self, count: int) -> list[float]:
        """Return up to 100,000 floats."""
        return FLOATS[:count]

    def echo(self, data: bytes) -> bytes:
        """Return what came."""
        return data

    def echo_base64(self, text: str) -> str:
        """Return what came, for peers whose format has no bytes."""
        return b64encode(b64decode(text)).decode()
