"""An object with attributes of every kind, and ways to look at it from Python's side."""

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

LARGEST = sys.maxsize


class Vessel:
    """Holds what it is given."""

    SIDES = 2
    NAMES = ("a", "b")
    launched: ClassVar[int] = 0
    crew: ClassVar[list[str]] = ["ann"]

    def __init__(self, name: str = "v", **attributes: Any) -> None:
        if name == "refused":
            raise ValueError("no such vessel")
        self.name = name
        self.count = 0
        self.nothing = None
        self.log: list[Any] = []
        self.by_name: dict[str, Any] = {}
        self.child: Vessel | None = None
        self._secret = "hidden"
        self.__dict__.update(attributes)
        Vessel.launched += 1

    @property
    def upper(self) -> str:
        return self.name.upper()

    @property
    def writable(self) -> int:
        return self.count

    @writable.setter
    def writable(self, value: int) -> None:
        self.count = value * 10

    def has(self, name: str) -> bool:
        return hasattr(self, name)

    def shown(self, name: str) -> str:
        return repr(getattr(self, name))

    def myself(self) -> "Vessel":
        return self

    def nest(self) -> "Vessel":
        self.child = Vessel("child")
        return self.child

    def is_same(self, one: Any, other: Any) -> bool:
        return one is other

    def type_name(self, value: Any) -> str:
        return type(value).__name__

    def pair(self, value: Any) -> list[Any]:
        return [value, {"again": value}, (value,)]

    def keep(self, value: Any) -> None:
        self.kept = value

    def helper(self) -> "Helper":
        return Helper(self)

    def adder(self, amount: int) -> Callable[[int], int]:
        return lambda value: value + amount

    def function(self) -> Callable[..., Any]:
        return describe

    def builtin(self) -> Callable[..., Any]:
        return len

    def sorter(self) -> Callable[..., Any]:
        return sorted

    def bound(self) -> Callable[..., Any]:
        return self.shown

    def a_class(self) -> type:
        return Vessel

    def foreign_class(self) -> type:
        return types.SimpleNamespace

    def module(self) -> types.ModuleType:
        return sys.modules[__name__]

    def namespace(self, **attributes: Any) -> types.SimpleNamespace:
        return types.SimpleNamespace(**attributes)

    def numbers(self) -> Iterator[int]:
        yield from range(3)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def _private(self) -> str:
        return "private"

    @classmethod
    def launch(cls, name: str = "new") -> "Vessel":
        return cls(name)

    @classmethod
    def which(cls) -> str:
        return cls.__name__

    @staticmethod
    def gate() -> "Vessel_Gate":
        return Vessel_Gate()

    @staticmethod
    def slots() -> "Vessel_Slots":
        return Vessel_Slots()

    @staticmethod
    def add(a: int, b: int = 1) -> int:
        return a + b


class Helper:
    """A class of the file that has another name."""

    def __init__(self, owner: Vessel) -> None:
        self.owner = owner

    def __call__(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [list(args), kwargs]


class Vessel_Gate:
    """Decides itself about its attributes."""

    def __init__(self) -> None:
        self.__dict__["asked"] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        if name.startswith("virtual"):
            return name
        if name == "broken":
            raise RuntimeError("the gate is broken")
        raise AttributeError(f"no {name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "locked":
            raise PermissionError("the gate is locked")
        self.__dict__[name] = [value]

    def __delattr__(self, name: str) -> None:
        if name == "locked":
            raise PermissionError("the gate is locked")
        del self.__dict__[name]

    @property
    def failing(self) -> Any:
        raise LookupError("the property fails")


class Vessel_Slots:
    """Has no dictionary."""

    __slots__ = ("width",)

    def __init__(self) -> None:
        self.width = 1


def describe(*args: Any, **kwargs: Any) -> list[Any]:
    """A function of the module."""
    return [list(args), kwargs]
