from Making.Record import Making_Record


class Making_Heir(Making_Record):
    """Inherits its constructor from a dataclass."""

    def describe(self) -> str:
        return f"{self.number} {self.name} {self.tags}"
