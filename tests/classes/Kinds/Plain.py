"""One class of each kind that Python programs are made of."""

import abc
import collections
import dataclasses
import enum
import functools
import typing

T = typing.TypeVar("T")


@dataclasses.dataclass
class Point:
    """Where."""

    x: int
    y: int = 2
    tags: list = dataclasses.field(default_factory=list)
    label: str = dataclasses.field(default="p", kw_only=True)

    ORIGIN: typing.ClassVar[int] = 0

    def moved(self, by=1):
        return Point(self.x + by, self.y + by)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    n: int = 1


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"

    def shout(self):
        return self.name + "!"

    @classmethod
    def first(cls):
        return next(iter(cls))


class Number(enum.IntEnum):
    ONE = 1


class Pair(typing.NamedTuple):
    left: int
    right: int = 5

    def total(self):
        return self.left + self.right


Old = collections.namedtuple("Old", "a b", defaults=[3])


class Sized(typing.Protocol):
    def size(self) -> int: ...


class Box(typing.Generic[T]):
    def __init__(self, item: T):
        self.item = item

    def get(self) -> T:
        return self.item


class IntBox(Box[int]):
    pass


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

    def doubled(self):
        return self.area() * 2


class Square(Shape):
    def area(self):
        return 4


class Dict(dict):
    def keys_sorted(self):
        return sorted(self)


class List(list):
    def first(self):
        return self[0]


class Int(int):
    def doubled(self):
        return self * 2


class Text(str):
    def shout(self):
        return self.upper() + "!"


class Failure(Exception):
    def __init__(self, message, code=7):
        super().__init__(message)
        self.code = code

    def getCode(self):
        return self.code

    def detail(self):
        return f"detail {self.code}"


class Worse(Failure, ValueError):
    pass


class Anything:
    """Has every method."""

    def __getattr__(self, name):
        if name.startswith("call_"):
            return lambda *args, **kwargs: [name, list(args), kwargs]
        raise AttributeError(name)

    def real(self):
        return "real"


class Registry(type):
    made: typing.ClassVar[list] = []

    def __new__(mcs, name, bases, namespace):
        cls = super().__new__(mcs, name, bases, namespace)
        mcs.made.append(name)
        return cls

    def known(cls):
        return list(type(cls).made)

    def __call__(cls, *args, **kwargs):
        made = super().__call__(*args, **kwargs)
        made.by_metaclass = True
        return made


class Registered(metaclass=Registry):
    def __init__(self, n=1):
        self.n = n


def doubling(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) * 2

    return wrapper


def hiding(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) * 3

    return wrapper


class Decorated:
    @doubling
    def wrapped(self, a, b=1):
        """Wrapped."""
        return a + b

    @hiding
    def hidden(self, a, b=1):
        return a + b

    @functools.lru_cache(maxsize=2)  # noqa: B019
    def cached(self, a):
        return a

    @functools.cached_property
    def once(self):
        return "once"

    preset = functools.partialmethod(wrapped, 10)
    anonymous = lambda self, a, b=2: a * b  # noqa: E731
    alias = wrapped

    @staticmethod
    @doubling
    def still(a):
        return a

    @functools.singledispatchmethod
    def dispatched(self, a):
        return "any"

    @dispatched.register
    def _(self, a: int):
        return "int"


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 1


class Inner_Holder:
    class Inner:
        def name(self):
            return "inner"

    def inner(self):
        return self.Inner()

    @staticmethod
    def anonymous():
        return type("", (), {})()

    @staticmethod
    def odd():
        return type("no identifier!", (), {"1x": 1, "a-b": lambda self: 1, "fine": lambda self: "fine"})()


class Plain:
    @staticmethod
    def make(name, *args, **kwargs):
        return globals()[name](*args, **kwargs)

    @staticmethod
    def get(name):
        return globals()[name]
