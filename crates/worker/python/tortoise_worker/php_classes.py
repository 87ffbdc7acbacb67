"""Python's classes for PHP's: of objects, with the protocols that PHP's class has, and of exceptions."""

import itertools
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from tortoise_worker._native import MethodDescriptor, Object, operate
from tortoise_worker.errors import PhpException

# Bits of a PHP object's traits.
CALLABLE, COUNTABLE, ARRAY_ACCESS, TRAVERSABLE, STRINGABLE, THROWABLE, CLOSURE, MAGIC_CALL = (
    1 << bit for bit in range(8)
)

# Numbers of PHP's protocols.
LENGTH, GET_ITEM, SET_ITEM, APPEND, HAS_ITEM, DELETE_ITEM, TEXT, ITERATE, NEXT, EQUAL = range(10)


class Closure(Object):
    """A function of PHP without a name. Any Python code that takes a function takes it."""

    __slots__ = ()
    __call__ = MethodDescriptor("")
    _php_has_call = False
    php_name = "Closure"
    php_parents = ()


class RequestOver(RuntimeError):  # noqa: N818 - it is no error of anybody's
    """PHP's request has ended, or PHP itself: nobody is there to be asked."""


class Exit(BaseException):
    """PHP ends its request: `exit()` was called in a callback. As with SystemExit, `finally` blocks run."""


_objects: dict[str, type[Object]] = {"Closure": Closure}
_exceptions: dict[str, type[PhpException]] = {"Throwable": PhpException}

# What an object class was made of, by its name. A class that is only a parent's name so far is not here.
_descriptions: dict[str, tuple[list[str], list[str], int]] = {}

# By the address of the PHP exception, which each of them keeps alive.
_thrown: "weakref.WeakValueDictionary[int, PhpException]" = weakref.WeakValueDictionary()


def object_class(name: str, parents: list[str], methods: list[str], traits: int) -> type[Object]:
    """The Python class for the objects of a PHP class, which may have been described before."""
    if traits & CLOSURE:
        return Closure
    description = (parents, methods, traits)
    if _descriptions.get(name) == description:
        return _objects[name]
    namespace: dict[str, Any] = {
        method: MethodDescriptor(method) for method in methods if not method.startswith("__")
    }
    namespace |= _protocols(traits)
    namespace |= {"php_parents": tuple(parents), "_php_has_call": bool(traits & MAGIC_CALL)}
    bases = _outermost([_object_class(parent) for parent in parents]) or [Object]
    cls = _object_class(name)
    if name in _descriptions or not _derive(cls, bases):
        # It is another class by the same name, such as that of another request.
        cls = _made(name, bases, Object)
    for attribute, value in namespace.items():
        setattr(cls, attribute, value)
    _objects[name], _descriptions[name] = cls, description
    return cls


def _object_class(name: str) -> type[Object]:
    """The class of a name; one that says nothing else, until it is described."""
    if name not in _objects:
        _objects[name] = _made(name, [Object], Object)
        _objects[name]._php_has_call = False  # type: ignore[attr-defined]
    return _objects[name]


def _protocols(traits: int) -> dict[str, Any]:
    protocols: dict[str, Any] = {}
    if traits & COUNTABLE:
        protocols["__len__"] = _length
    if traits & ARRAY_ACCESS:
        protocols |= {
            "__getitem__": _get_item,
            "__setitem__": _set_item,
            "__delitem__": _delete_item,
            "__contains__": _has_item,
            # Without it Python would ask for the items 0, 1, 2 and so on, perhaps without end.
            "__iter__": None,
        }
    if traits & TRAVERSABLE:
        protocols["__iter__"] = _values
    if traits & STRINGABLE:
        protocols["__str__"] = _text
    if traits & CALLABLE:
        protocols["__call__"] = MethodDescriptor("")
    return protocols


def _length(self: Object) -> Any:
    return operate(self, LENGTH)


def _get_item(self: Object, key: object) -> Any:
    return operate(self, GET_ITEM, key)


def _set_item(self: Object, key: object, value: object) -> None:
    operate(self, SET_ITEM, key, value)


def _delete_item(self: Object, key: object) -> None:
    operate(self, DELETE_ITEM, key)


def _has_item(self: Object, key: object) -> Any:
    return operate(self, HAS_ITEM, key)


def _text(self: Object) -> Any:
    return operate(self, TEXT)


def _values(self: Object) -> Iterator[Any]:
    return (value for _, value in pairs(self))


def pairs(traversable: Object) -> Iterator[tuple[Any, Any]]:
    """Keys and values of a `foreach`, which begins at the first of them."""
    iteration = operate(traversable, ITERATE)
    while (pair := operate(iteration, NEXT)) is not None:
        key, value = pair
        yield key, value


def exception_class(name: str) -> type[PhpException]:
    """The Python class for the exceptions of a PHP class: `except exception_class("App\\NotFound"):`."""
    name = name.removeprefix("\\")
    if name not in _exceptions:
        _exceptions[name] = _made(name, [PhpException], PhpException)
    return _exceptions[name]


def thrown(throwable: Object, message: str, code: int | str, file: str, line: int) -> PhpException:
    """The Python exception of a PHP exception: the same one for the same, as long as somebody has it."""
    known = _thrown.get(id(throwable))
    if known is None:
        name, parents = type(throwable).php_name, type(throwable).php_parents
        known = _described(name, parents)(name, message, code, file, line)
        known.object = throwable
        _thrown[id(throwable)] = known
    return known


def _described(name: str, parents: Sequence[str]) -> type[PhpException]:
    """The class of an exception whose parents are known: until then it was only a name."""
    cls = exception_class(name)
    if cls.php_parents == ():
        cls.php_parents = tuple(parents)
        # The parent classes come first, and the last of them is one of PHP's two roots; interfaces follow.
        root = next((place for place, parent in enumerate(parents) if parent in ("Exception", "Error")), -1)
        line = [exception_class(each) for each in (name, *parents[: root + 1])]
        for child, parent in reversed(list(itertools.pairwise(line))):
            if not issubclass(child, parent):
                _derive(child, [parent])
        _derive(cls, _outermost([exception_class(parent) for parent in parents]))
    return cls


def _outermost(classes: Sequence[type]) -> list[type]:
    """Those of which none of the others is derived already."""
    return [
        cls
        for place, cls in enumerate(classes)
        if not any(other is not cls and issubclass(other, cls) for other in classes)
        and cls not in classes[:place]
    ]


def _derive(cls: type, bases: Sequence[type]) -> bool:
    """Gives a class other bases, if Python has an order for them all."""
    if not bases or cls.__bases__ == tuple(bases):
        return True
    try:
        cls.__bases__ = tuple(bases)
    except TypeError:
        return False
    return True


def _made(name: str, bases: Sequence[type], root: type) -> Any:
    """A class. PHP's namespace becomes a module below `php`."""
    module, _, short = name.rpartition("\\")
    path = ".".join(["php", *module.split("\\")]) if module else "php"
    namespace: dict[str, Any] = {
        "__module__": path,
        "__qualname__": short,
        "php_name": name,
        "php_parents": (),
    }
    if root is Object:
        namespace["__slots__"] = ()
    try:
        return type(short, tuple(bases), namespace)
    except TypeError:
        # Python has no order for the bases that all of them keep.
        return type(short, (root,), namespace)
