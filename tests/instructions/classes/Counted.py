"""What the instruction counts call: methods that do as little as they can."""

ROWS = [
    {"id": i, "name": f"user {i:04d}", "email": f"u{i:04d}@example.org", "score": i * 0.25, "active": i % 2 == 0}
    for i in range(100)
]
FLOATS = [i / 7 for i in range(1000)]


class Counted:
    def noop(self) -> None:
        pass

    def small(self, number: int, text: str) -> dict[str, object]:
        return {"id": number, "name": text, "score": number * 0.5, "ok": True, "tag": "t"}

    def rows(self) -> list[dict[str, object]]:
        return ROWS

    def take(self, values: list[object]) -> None:
        pass

    def floats(self) -> list[float]:
        return FLOATS

    def me(self) -> "Counted":
        return self
