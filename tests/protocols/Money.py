"""Operators of every kind, and those that misbehave."""

import decimal
import fractions
import operator
from typing import Any


class Money:
    """Whole cents. Adds to itself and to ints, on either side; knows its order."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Money):
            return Money(self.cents + other.cents)
        return Money(self.cents + other) if isinstance(other, int) else NotImplemented

    __radd__ = __add__

    def __iadd__(self, other: Any) -> Any:
        raise RuntimeError("PHP's += makes a new value")

    def __rsub__(self, other: int) -> "Money":
        return Money(other - self.cents)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    def __lt__(self, other: Any) -> bool:
        return self.cents < other.cents if isinstance(other, Money) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.cents)

    def __str__(self) -> str:
        return f"{self.cents / 100:.2f}"

    @staticmethod
    def make(name: str, *arguments: Any) -> Any:
        """An object of one of the classes here."""
        return globals()[name](*arguments)


class Spy:
    """Says which operator it was asked for, and on which side it stood."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def _operator(name: str, text: str) -> None:
    setattr(Spy, f"__{name}__", lambda self, other, *rest: f"self {text} {other!r}")
    setattr(Spy, f"__r{name}__", lambda self, other, *rest: f"{other!r} {text} self")


for _name, _text in {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "mod": "%",
    "pow": "**",
    "lshift": "<<",
    "rshift": ">>",
    "and": "&",
    "or": "|",
    "xor": "^",
}.items():
    _operator(_name, _text)


class Signed:
    """Has signs and no product."""

    def __neg__(self) -> str:
        return "negative"

    def __pos__(self) -> str:
        return "positive"

    def __invert__(self) -> str:
        return "inverted"


class RightOnly:
    def __rmul__(self, other: Any) -> str:
        return f"{other} times right"


class Unsigned:
    """Has no operator at all."""


class Many:
    """Compares like an array: a truth value for each element."""

    def __eq__(self, other: object) -> Any:
        return [True, True]

    def __lt__(self, other: Any) -> Any:
        return [True]

    __hash__ = None  # type: ignore[assignment]


class Hostile:
    """Every protocol goes wrong in the way that it was made for."""

    def __init__(self, how: str) -> None:
        self.how = how

    def _do(self, *arguments: Any) -> Any:
        match self.how:
            case "raise":
                raise ValueError("not today")
            case "type error":
                raise TypeError("unsupported operand type(s) for fun")
            case "recurse":
                return self._do(*arguments)
            case "negative":
                return -1
            case "huge":
                return 2**80
            case "surrogate":
                return "\ud800"
            case "exit":
                raise SystemExit(3)
            case _:
                return self.how

    __len__ = __getitem__ = __setitem__ = __delitem__ = __str__ = __eq__ = __lt__ = __add__ = __radd__ = _do
    __int__ = __float__ = __invert__ = __mul__ = __copy__ = __iter__ = _do
    __hash__ = None  # type: ignore[assignment]


class Shy:
    """Orders itself only among its own, and is loud about it."""

    def __lt__(self, other: Any) -> bool:
        raise TypeError("shy")


class Whole(int):
    """An integer that PHP has by reference. Its arithmetic gives plain ints."""


class Real(float):
    """As above, a float."""


_NUMBERS: dict[str, Any] = {
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "whole": lambda text: Whole(text),
    "real": lambda text: Real(float(text)),
    # A plain int would be a GMP in PHP, which computes for itself.
    "big": lambda text: Whole((2 * int(text) + 1) * 2**70),
}

_OPERATORS: dict[str, Any] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "<": lambda a, b: _order(a, b) < 0,
    "<=>": lambda a, b: _order(a, b),
}


def _order(a: Any, b: Any) -> int:
    """How PHP has it: what has no order is 1."""
    try:
        return 0 if a == b else -1 if a < b else 1
    except TypeError:
        return 1


class Numbers:
    """Makes numbers by reference, and does in Python what PHP is to do."""

    @staticmethod
    def make(kind: str, text: str) -> Any:
        return _NUMBERS[kind](text)

    @staticmethod
    def result(name: str, a: Any, b: Any) -> str:
        try:
            return repr(_OPERATORS[name](a, b))
        except TypeError:
            return "TypeError"
        except Exception as error:
            return type(error).__name__

    @staticmethod
    def shown(value: Any) -> str:
        return repr(value)
