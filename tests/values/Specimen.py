"""Values as Python sees and makes them."""

import sys
from typing import Any


class Specimen:
    """Shows what arrived from PHP, and makes what PHP is to get."""

    @staticmethod
    def seen(value: object) -> str:
        """How Python writes the value: its type and content in one."""
        return repr(value)

    @staticmethod
    def made(expression: str) -> Any:
        """The value of a Python expression."""
        return eval(expression, {"sys": sys, "Specimen": Specimen})

    @staticmethod
    def same(value: Any) -> Any:
        """The value itself."""
        return value

    @staticmethod
    def is_made(value: object, expression: str) -> bool:
        """Whether the value has the type and is equal to what the expression gives."""
        other = Specimen.made(expression)
        return type(value) is type(other) and value == other

    @staticmethod
    def is_same_text(value: object, expression: str) -> bool:
        """Whether the value is, to the types of its elements, what the expression gives."""
        return repr(value) == repr(Specimen.made(expression))

    @staticmethod
    def depth(value: Any) -> int:
        """How many lists or dicts stand in each other."""
        depth = 0
        while isinstance(value, (list, dict)):
            depth += 1
            value = next(iter(value.values() if isinstance(value, dict) else value), None)
        return depth

    @staticmethod
    def nested(depth: int, kind: str = "list") -> Any:
        """That many containers in each other, with a leaf inside."""
        value: Any = "leaf"
        for _ in range(depth):
            value = {"k": value} if kind == "dict" else (value,) if kind == "tuple" else [value]
        return value

    @staticmethod
    def endless_list() -> list[Any]:
        """A list that contains itself."""
        endless: list[Any] = [1]
        endless.append(endless)
        return endless

    @staticmethod
    def endless_dict() -> dict[str, Any]:
        """A dict that contains itself below a list."""
        endless: dict[str, Any] = {}
        endless["rows"] = [0, endless]
        return endless

    @staticmethod
    def doubling(times: int) -> list[Any]:
        """A list of few objects that is huge when it is copied out."""
        value: list[Any] = ["x" * 1000]
        for _ in range(times):
            value = [value, value]
        return value


class Specimen_Text(str):
    """A str with a method."""

    def shout(self) -> str:
        return self.upper() + "!"


class Specimen_Row(dict):
    """A dict with a method."""

    def total(self) -> int:
        return sum(self.values())


class Specimen_Number(int):
    """An int with a method."""

    def next(self) -> int:
        return self + 1
