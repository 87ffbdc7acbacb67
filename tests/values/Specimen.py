"""Values as Python sees and makes them."""

import random
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
    def random(seed: int) -> Any:
        """A value that has an equal in PHP, and is the same for the same seed."""
        return _random(random.Random(seed), 3)

    @staticmethod
    def is_random(value: object, seed: int) -> bool:
        """Whether the value is the one of that seed, to the last type."""
        return repr(value) == repr(Specimen.random(seed))

    @staticmethod
    def doubling(times: int) -> list[Any]:
        """A list of few objects that is huge when it is copied out."""
        value: list[Any] = ["x" * 1000]
        for _ in range(times):
            value = [value, value]
        return value


def _random(source: random.Random, depth: int) -> Any:
    kind = source.randrange(8 if depth else 6)
    if kind == 0:
        return source.choice([None, True, False])
    if kind == 1:
        return source.choice([-1, 1]) * source.getrandbits(source.randrange(1, 64))
    if kind == 2:
        return source.choice([0.0, -0.0, float("inf"), source.random(), source.uniform(-1e300, 1e300), 5e-324])
    if kind in (3, 4):
        return _random_text(source)
    if kind == 5:
        return bytes(source.randrange(128, 192) for _ in range(source.randrange(1, 5)))
    count = source.choice([0, 1, 2, 3, 15, 16, 17, 40])
    if kind == 6:
        return [_random(source, depth - 1) for _ in range(count)]
    # PHP has one kind of empty array, and a dict with the keys of a list is a list there.
    keys = {source.choice([_random_text(source), source.randrange(100, 1 << 62)]): None for _ in range(max(count, 1))}
    return {key: _random(source, depth - 1) for key in keys}


def _random_text(source: random.Random) -> str:
    length = source.choice([0, 1, 5, 31, 32, 255, 256, 2000])
    return "".join(source.choice("aZ\0 ä€🐢\n'\"\\") for _ in range(length))


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
