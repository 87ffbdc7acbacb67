"""Python's classes for PHP's: of objects, and of exceptions."""

import itertools
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from tortoise_worker import classes, php_bases, php_protocols
from tortoise_worker._native import Function, MethodDescriptor, Object, Property, new_half
from tortoise_worker.errors import PhpException
from tortoise_worker.php_protocols import CLOSURE, MAGIC_CALL

# Bits of a member's flags.
STATIC, ABSTRACT, PROTECTED, FINAL = (1 << bit for bit in range(4))

Members = list[tuple[str, int]]
"""Methods or properties of a PHP class, and their flags."""

Description = tuple[list[str], int, Members, Members, int]

# What a class of PHP's objects has whatever it is described as.
_OF_EVERY_CLASS = frozenset(
    (
        *("__module__", "__qualname__", "__slots__", "__doc__", "__new__", "__reduce_ex__"),
        *("__init_subclass__", "php_name", "php_parents", "php_open", "_php_has_call"),
    )
)


class Closure(Object):
    """A function of PHP without a name. Any Python code that takes a function takes it."""

    __slots__ = ()
    __call__ = MethodDescriptor("")
    _php_has_call = False
    _php_traits = CLOSURE
    php_name = "Closure"
    php_parents = ()


class RequestOver(RuntimeError):  # noqa: N818 - it is no error of anybody's
    """PHP's request has ended, or PHP itself: nobody is there to be asked."""


class Exit(BaseException):
    """PHP ends its request: `exit()` was called in a callback. As with SystemExit, `finally` blocks run."""


_objects: dict[str, type[Object]] = {"Closure": Closure}
_exceptions: dict[str, type[PhpException]] = {"Throwable": PhpException}

# What an object class was made of, by its name. A class that is only a parent's name so far is not here.
_descriptions: dict[str, Description] = {}

# The sessions of a process have their classes in common, and one thread at a time makes them.
_making = threading.RLock()

# By the address of the PHP exception, which each of them keeps alive.
_thrown: "weakref.WeakValueDictionary[int, PhpException]" = weakref.WeakValueDictionary()


def object_class(
    name: str, parents: list[str], flags: int, methods: Members, properties: Members, traits: int
) -> type[Object]:
    """The Python class for the objects of a PHP class, which may have been described before."""
    if traits & CLOSURE:
        return Closure
    description = (parents, flags, methods, properties, traits)
    with _making:
        return _objects[name] if _descriptions.get(name) == description else _described(name, description)


def _described(name: str, description: Description) -> type[Object]:
    """The class of a name, which is now what the description says."""
    parents, _, methods, properties, traits = description
    bases = _outermost([_object_class(parent) for parent in parents]) or [Object]
    cls = _object_class(name)
    # Several anonymous classes have one name; another class is described anew in another request only.
    is_another = name in _descriptions and "@anonymous" in name
    if is_another or not _derive(cls, bases):
        cls = _made(name, bases, Object)
    for attribute in set(vars(cls)) - _OF_EVERY_CLASS:
        delattr(cls, attribute)
    for attribute, value in _namespace(name, methods, properties, traits).items():
        setattr(cls, attribute, value)
    cls.php_parents = tuple(parents)
    _objects[name], _descriptions[name] = cls, description
    return cls


def _object_class(name: str) -> type[Object]:
    """The class of a name; one that says nothing else, until it is described."""
    if name not in _objects:
        _objects[name] = _made(name, [Object], Object)
    return _objects[name]


def _namespace(name: str, methods: Members, properties: Members, traits: int) -> dict[str, Any]:
    """What the class of a PHP class has: PHP lists what it inherits among it."""
    namespace: dict[str, Any] = {
        each: Property(each, name) for each, _ in properties if not each.startswith("__")
    }
    for method, flags in methods:
        if not method.startswith("__"):
            namespace[method] = method_of(name, method, flags)
    names = frozenset(method.lower() for method, _ in methods)
    namespace |= php_protocols.of_class(name, traits, names)
    if "__construct" in names:
        namespace["__init__"] = php_protocols.constructor(name)
    namespace["php_methods"] = tuple(method for method, _ in methods)
    namespace["_php_has_call"] = bool(traits & MAGIC_CALL)
    namespace["_php_traits"] = traits
    return namespace


def method_of(name: str, method: str, flags: int) -> object:
    """What a Python class has for a method of a PHP class."""
    if flags & STATIC:
        return StaticMethod(name, method)
    return MethodDescriptor(method, name, bool(flags & PROTECTED))


class StaticMethod:
    """A static method of a PHP class: PHP's `static` is the class that it is called on."""

    def __init__(self, php_class: str, name: str) -> None:
        self._php_class, self._name = php_class, name

    def __get__(self, target: object, cls: type) -> Function:
        """The function, as the class has it that is asked."""
        # Where a class below has another one of the name, that is what its own name would call.
        is_called = classes.inherited(cls, self._name) is self
        name = php_bases.name_of(cls) if is_called else self._php_class
        return Function(f"{name}::{self._name}")


def _new(cls: type[Object], /, *arguments: object, **named: object) -> Any:
    """`__new__` of PHP's classes: an object of PHP's alone is made there, one of two halves begins here."""
    name = php_bases.php_name_of(cls)
    if name is not None and not php_bases.is_shadow(cls):
        return Function(f"new {name}")(*arguments, **named)
    return new_half(cls)


def _subclass_hook(root: type) -> Any:
    """`__init_subclass__`: what a class has for a property that PHP declares is the default of that."""

    def __init_subclass__(cls: type, **arguments: Any) -> None:  # noqa: N807
        super(root, cls).__init_subclass__(**arguments)
        adopt_defaults(cls)

    return classmethod(__init_subclass__)


def adopt_defaults(cls: type) -> None:
    """Puts properties of PHP in the place of plain values of the same names, which become their defaults."""
    bases = classes.mro_of(cls)[1:]
    for name, value in list(classes.namespace_of(cls).items()):
        if classes.inherited(type(value), "__get__") is not None:
            continue
        declared = next(
            (found[name] for base in bases if name in (found := classes.namespace_of(base))), None
        )
        if type(declared) is Property:
            type.__setattr__(cls, name, Property(name, declared.php_class, value))


def exception_class(name: str) -> type[PhpException]:
    """The Python class for the exceptions of a PHP class: `except exception_class("App\\NotFound"):`."""
    name = name.removeprefix("\\")
    with _making:
        if name not in _exceptions:
            _exceptions[name] = _made(name, [PhpException], PhpException)
        return _exceptions[name]


def thrown(throwable: Object, message: str, code: int | str, file: str, line: int) -> PhpException:
    """The Python exception of a PHP exception: the same one for the same, as long as somebody has it."""
    known = _thrown.get(id(throwable))
    if known is None:
        name, parents = type(throwable).php_name, type(throwable).php_parents
        known = described_exception(name, parents)(name, message, code, file, line)
        known.object = throwable
        _thrown[id(throwable)] = known
    return known


def described_exception(name: str, parents: Sequence[str]) -> type[PhpException]:
    """The class of an exception whose parents are known: until then it was only a name."""
    with _making:
        cls = exception_class(name)
        if cls.php_parents == ():
            _place(cls, name, parents)
    return cls


def _place(cls: type[PhpException], name: str, parents: Sequence[str]) -> None:
    """Puts the class of an exception below those of its parents."""
    cls.php_parents = tuple(parents)
    # The parent classes come first, and the last of them is one of PHP's two roots; interfaces follow.
    root = next((place for place, parent in enumerate(parents) if parent in ("Exception", "Error")), -1)
    line = [exception_class(each) for each in (name, *parents[: root + 1])]
    for child, parent in reversed(list(itertools.pairwise(line))):
        if not issubclass(child, parent):
            _derive(child, [parent])
    _derive(cls, _outermost([exception_class(parent) for parent in parents]))


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
        namespace |= {"__slots__": (), "__new__": _new, "__reduce_ex__": refuse_reduction, "php_open": True}
        namespace["_php_has_call"] = False
    try:
        made = type(short, tuple(bases), namespace)
    except TypeError:
        # Python has no order for the bases that all of them keep.
        made = type(short, (root,), namespace)
    if root is Object:
        made.__init_subclass__ = _subclass_hook(made)  # type: ignore[method-assign]
    return made


def refuse_reduction(self: object, protocol: int) -> Any:
    """`__reduce_ex__` of what has a part in PHP: neither `pickle` nor `copy` could take that along."""
    raise TypeError(
        f"cannot pickle or copy {classes.display_name_of(type(self))!r} object: it lives in PHP too;"
        " use PHP's clone"
    )
