"""Python's protocols on objects of PHP's classes: `len()`, items, iteration, `str()`, calls, constructors.

Of a PHP object, PHP is asked for its own protocol, whatever the object's class has made of it. An object of
two halves is another matter: there a class's own method is meant, as with `super().__len__()` in Python.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from tortoise_worker._native import MethodDescriptor, Object, is_half, operate

# Bits of a PHP object's traits.
CALLABLE, COUNTABLE, ARRAY_ACCESS, TRAVERSABLE, STRINGABLE, THROWABLE, CLOSURE, MAGIC_CALL = (
    1 << bit for bit in range(8)
)

# Numbers of PHP's protocols.
LENGTH, GET_ITEM, SET_ITEM, APPEND, HAS_ITEM, DELETE_ITEM, TEXT, ITERATE, NEXT, EQUAL = range(10)


def of_class(name: str, traits: int, methods: Collection[str], is_inherited: bool = True) -> dict[str, Any]:
    """The protocols that a PHP class has: all of them, or those of which the methods are its own.

    `methods` are the names of its methods in lower case: its own ones, or those that it inherits as well.
    """

    def asks(operation: int, method: str) -> Callable[..., Any]:
        called = MethodDescriptor(method, name)

        def protocol(self: Any, /, *operands: object) -> Any:
            return called(self, *operands) if is_half(self) else operate(self, operation, *operands)

        return protocol

    found: dict[str, tuple[str, object]] = {}
    if traits & COUNTABLE:
        found["__len__"] = "count", asks(LENGTH, "count")
    if traits & ARRAY_ACCESS:
        found |= {
            "__getitem__": ("offsetget", asks(GET_ITEM, "offsetGet")),
            "__setitem__": ("offsetset", asks(SET_ITEM, "offsetSet")),
            "__delitem__": ("offsetunset", asks(DELETE_ITEM, "offsetUnset")),
            "__contains__": ("offsetexists", asks(HAS_ITEM, "offsetExists")),
            # Without it Python would ask for the items 0, 1, 2 and so on, perhaps without end.
            "__iter__": ("offsetget", None),
        }
    if traits & TRAVERSABLE:
        is_aggregate = "getiterator" in methods
        found["__iter__"] = (
            ("getiterator", _aggregate(name)) if is_aggregate else ("current", _iterator(name))
        )
    if traits & STRINGABLE:
        found["__str__"] = "__tostring", asks(TEXT, "__toString")
    if traits & CALLABLE:
        found["__call__"] = "__invoke", MethodDescriptor("", name)
    return {special: value for special, (method, value) in found.items() if is_inherited or method in methods}


def constructor(name: str) -> Callable[..., None]:
    """`__init__` for the constructor of a PHP class. An object that PHP has made has been through it."""
    construct = MethodDescriptor("__construct", name)

    def __init__(self: Any, /, *arguments: object, **named: object) -> None:  # noqa: N807
        if is_half(self):
            construct(self, *arguments, **named)

    return __init__


def _aggregate(name: str) -> Callable[[Any], Iterator[Any]]:
    get_iterator = MethodDescriptor("getIterator", name)

    def __iter__(self: Any) -> Iterator[Any]:  # noqa: N807
        return iter(get_iterator(self)) if is_half(self) else _values(self)

    return __iter__


def _iterator(name: str) -> Callable[[Any], Iterator[Any]]:
    rewind, valid, current, following = (
        MethodDescriptor(method, name) for method in ("rewind", "valid", "current", "next")
    )

    def walk(self: Any) -> Iterator[Any]:
        rewind(self)
        while valid(self):
            yield current(self)
            following(self)

    def __iter__(self: Any) -> Iterator[Any]:  # noqa: N807
        return walk(self) if is_half(self) else _values(self)

    return __iter__


def _values(self: Object) -> Iterator[Any]:
    return (value for _, value in pairs(self))


def pairs(traversable: Object) -> Iterator[tuple[Any, Any]]:
    """Keys and values of a `foreach`, which begins at the first of them."""
    iteration = operate(traversable, ITERATE)
    while (pair := operate(iteration, NEXT)) is not None:
        key, value = pair
        yield key, value
