"""A class that does what a test tells it: an object of it stands for all of the user's code."""

import gc
import sys
import typing
import weakref


class Counted:
    """An object whose life can be watched."""

    alive: typing.ClassVar[set[str]] = set()

    def __init__(self, name: str) -> None:
        self.name = name
        Counted.alive.add(name)

    def __del__(self) -> None:
        Counted.alive.discard(self.name)


class Broken:
    """An object whose end goes wrong."""

    def __del__(self) -> None:
        raise RuntimeError("broken to the end")


class Cycle:
    """An object that only garbage collection ends, and what happens then."""

    def __init__(self, action: typing.Callable[[], object]) -> None:
        self.me = self
        self.action = action

    def __del__(self) -> None:
        gc.disable()
        self.action()


class Probe:
    """Evaluates what it is given."""

    LIMIT = 10

    def __init__(self, value: object = None) -> None:
        self.value = value

    def evaluate(self, expression: str) -> object:
        """The value of an expression."""
        return eval(expression, globals(), {"self": self})

    def execute(self, source: str) -> None:
        """Runs statements."""
        exec(source, globals(), {"self": self})

    def show(self, *args: object, **kwargs: object) -> str:
        """How Python sees what it was given."""
        return repr((args, kwargs))

    def same(self, first: object, second: object) -> bool:
        """Whether two arguments are one object."""
        return first is second

    def counted(self, name: str) -> Counted:
        """A new watched object."""
        return Counted(name)

    def alive(self) -> list[str]:
        """Which watched objects are alive."""
        return sorted(Counted.alive)

    def broken(self) -> Broken:
        """A new object with a broken end."""
        return Broken()

    def few(self, a: object, b: object, c: object = "c", d: object = "d", e: object = "e") -> list[object]:
        """Its arguments."""
        return [a, b, c, d, e]

    @property
    def exploding(self) -> object:
        """A property that raises."""
        raise LookupError("no such luck")

    def collect_soon(self, value: object, action: typing.Callable[[], object]) -> object:
        """A value. The first new container that anybody makes then runs the action."""
        gc.collect()
        gc.disable()
        gc.set_threshold(1)
        Cycle(action)
        gc.enable()
        return value

    def references(self) -> int:
        """How many references the object has."""
        return sys.getrefcount(self)


class Single:
    """A class with one object only."""

    _instance: typing.ClassVar["Single | None"] = None

    def __new__(cls) -> "Single":
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance


__all__ = ["Broken", "Counted", "Cycle", "Probe", "Single", "gc", "weakref"]
