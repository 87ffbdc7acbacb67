"""Classes with one of everything that a description can hold."""

import abc
import enum
import functools
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

T = typing.TypeVar("T")


class Tracing(type):
    """A metaclass that would notice being asked."""

    def __getattr__(cls, name: str) -> Any:
        raise RuntimeError(f"{name} was asked of the class")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("the class was compared")

    def __hash__(cls) -> int:
        raise RuntimeError("the class was hashed")


class Descriptor:
    """A decorator that would notice being asked."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)

    def __get__(self, instance: object, owner: type) -> Any:
        raise RuntimeError("the descriptor was asked")

    def __call__(self, *args: Any) -> Any:
        raise RuntimeError("the descriptor was called")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} was asked of the descriptor")


def logged(function: Callable[..., T]) -> Callable[..., T]:
    """An ordinary decorator."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> T:
        return function(*args, **kwargs)

    return wrapper


class Shape:
    """A shape.

    With a second paragraph,
        indented.
    """

    SIDES = 0
    NAME_2 = "shape"
    RATIO = 1.5
    NOTHING = None
    TRUE = True
    RAW = b"\xff"
    TABLE = (1, [2, ("x",)])
    _PRIVATE = 1
    Mixed = 1
    lower = 1
    OBJECT = object()
    NESTED = [[[[[[[[[1]]]]]]]]]
    LONG = list(range(2000))
    HUGE = 2**70
    SURROGATE = "\udc80"
    MAPPING = {"a": 1}

    def __init__(self, name: str, /, size=1, *more, color="red", **others) -> None:
        """Makes one."""
        self.name = name

    def all_defaults(
        self,
        a=None,
        b=True,
        c=-(2**63),
        d=2**63,
        e=1.5,
        f="text",
        g="x" * 5000,
        h=[],
        i=(),
        j=b"bytes",
        k="\udc80",
        l=object,
    ):
        pass

    def only(self):
        """Takes nothing.

        And more.
        """

    @staticmethod
    def static(a, *, b):
        """Static."""

    @classmethod
    def make(cls, a=1):
        """Class."""

    @logged
    def decorated(self, a, b=2):
        """Decorated."""

    @functools.cache
    def cached(self, a):
        """Cached."""

    @Descriptor
    def described(self, a):
        """Described."""

    @functools.singledispatchmethod
    def dispatched(self, a):
        """Dispatched."""

    @property
    def area(self):
        raise RuntimeError("the property was asked")

    @functools.cached_property
    def cached_area(self):
        raise RuntimeError("the property was asked")

    async def later(self, a):
        """Later."""

    def _private(self):
        pass

    def too_many(self, **kwargs):
        pass

    class Inner:
        """Inside."""

        class Deep:
            pass

    part = functools.partialmethod(all_defaults, 1, e=5)
    builtin = len
    constant_function = lambda self, x: x  # noqa: E731


exec("def too_many(self, %s): pass" % ", ".join(f"a{n}" for n in range(300)), globals())
Shape.too_many = globals().pop("too_many")
setattr(Shape, "not an identifier", lambda self: 1)
setattr(Shape, "\udc80", lambda self: 1)
Shape.größe = lambda self, maß: 1


class Shape_Round(Shape):
    """Round."""


class Circle(Shape_Round):
    SIDES = 1

    def __init__(self, radius):
        pass

    def only(self, extra=None):
        pass


class Colored:
    COLOR = "red"

    def paint(self, color="red"):
        pass

    def only(self):
        pass


class Named(Colored):
    def rename(self, name):
        pass


class Both(Circle, Named):
    pass


class Late(Shape_Round, Colored):
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, a, b=None):
        pass


class Failure(Colored, ValueError):
    pass


class Plain(Exception):
    def __init__(self, code):
        super().__init__(code)


class Abstract(abc.ABC):
    @abc.abstractmethod
    def area(self):
        pass


class Generic(typing.Generic[T]):
    def get(self) -> T: ...


class Protocol(typing.Protocol):
    def get(self) -> int: ...


class Asked(metaclass=Tracing):
    def method(self, a):
        pass


class Calling(type):
    def __call__(cls, one, two=2):
        return super().__call__()


class Called(metaclass=Calling):
    pass


@dataclass
class Data:
    x: int
    y: int = 2
    z: list = field(default_factory=list)


class Point(typing.NamedTuple):
    x: int
    y: int = 0


class Color(enum.Enum):
    RED = 1

    def shout(self):
        pass


class Strange:
    __signature__ = None
    __doc__ = 7  # type: ignore[assignment]
    __module__ = 8  # type: ignore[assignment]
    __slots__ = ("a",)


class Dictionary(dict):
    def extra(self):
        pass


def local():
    class Local:
        class Within:
            pass

    return Local, Local.Within
