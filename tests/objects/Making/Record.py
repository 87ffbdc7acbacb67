from dataclasses import dataclass, field


@dataclass
class Making_Record:
    """A dataclass."""

    number: int
    name: str = "n"
    tags: list[str] = field(default_factory=list)
