"""What a session holds of a shared object: an object that passes on what is done with it, by value."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from tortoise_worker import shared_errors, shared_wire
from tortoise_worker._native import MAX_SHARED_OBJECTS
from tortoise_worker.shared_classes import PROTOCOLS, SharedClass

# The module of the classes that stand for those of shared objects: their own module's name comes behind it.
MODULE: Final = "tortoise_worker.shared"

# Times that an object is made anew for one call, each time because it was gone once more.
_ATTEMPTS: Final = 8


class Exchange(Protocol):
    """A way to the process of the shared objects."""

    def __call__(self, pieces: Sequence[bytes]) -> list[Any]:
        """The answer to a request. Raises `SharedError` if it was lost on the way."""
        ...


class Handle:
    """A shared object by its name, and how it is made where it is not there yet."""

    def __init__(
        self,
        exchange: Exchange,
        name: str,
        selector: object,
        arguments: Sequence[object],
        named: Mapping[str, object],
    ) -> None:
        """Raises `ConversionError` for arguments that are no values."""
        self.exchange = exchange
        self.name = name
        self._opening = shared_wire.request("open", name, selector, list(arguments), named)

    def open(self) -> SharedClass:
        """Makes the object if it is not there. Raises what its constructor does."""
        module, qualified_name, documentation, methods, protocols = _value(self.exchange(self._opening))
        return SharedClass(module, qualified_name, documentation, methods, protocols)

    def ask(self, operation: str, *parts: Any, root: str = "args") -> list[Any]:
        """The answer to a request about the object."""
        pieces = shared_wire.request(operation, self.name, *parts, root=root)
        for _ in range(_ATTEMPTS):
            answer = self.exchange(pieces)
            if answer[0] != "absent":
                return answer
            self.open()
        raise shared_errors.SharedError(f"the shared object {self.name!r} is gone each time that it was made")


class SharedObject:
    """An object of another process, which all sessions share. What is done with it is done there.

    Its methods, its attributes and Python's protocols take and give values; an object is refused with a
    `TypeError` that says where it stands. Names with a leading underscore are not shared.
    """

    __module__ = "tortoise_worker"
    __slots__ = ("_handle",)
    _handle: Handle

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{name!r} of {self!r} is not shared", name=name, obj=self)
        answer = self._handle.ask("get", name)
        return _method(name)[1].__get__(self) if answer[0] == "function" else _value(answer)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            raise AttributeError(f"{name!r} of {self!r} is not shared", name=name, obj=self)
        _value(self._handle.ask("set", name, value, root=f"new value of {name}"))

    def __delattr__(self, name: str) -> None:
        if name.startswith("_"):
            raise AttributeError(f"{name!r} of {self!r} is not shared", name=name, obj=self)
        _value(self._handle.ask("delete", name))

    def __repr__(self) -> str:
        return f"<the shared object {self._handle.name!r} of {type(self).__qualname__}>"

    def __copy__(self) -> "SharedObject":
        return self

    def __deepcopy__(self, _memo: object) -> "SharedObject":
        return self

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} cannot be pickled; call shared() with its name where it is needed")


_CLASSES: dict[SharedClass, type[SharedObject]] = {}


def forwarding(handle: Handle) -> SharedObject:
    """The object that passes on to a shared one, which is made if it is not there yet."""
    described = handle.open()
    cls = _CLASSES.get(described)
    if cls is None:
        if len(_CLASSES) >= MAX_SHARED_OBJECTS:
            _CLASSES.clear()
        cls = _CLASSES[described] = _class_of(described)
    shared = cls()
    object.__setattr__(shared, "_handle", handle)
    return shared


def _class_of(described: SharedClass) -> type[SharedObject]:
    namespace: dict[str, object] = {
        "__module__": f"{MODULE}.{described.module}",
        "__qualname__": described.qualified_name,
        "__doc__": described.documentation,
        "__slots__": (),
    }
    for name, documentation in described.methods:
        namespace[name] = _method(name, documentation)[1]
    for name in described.protocols:
        if name in _PROTOCOLS:
            namespace[name] = _PROTOCOLS[name]
    return type(described.qualified_name.rpartition(".")[2], (SharedObject,), namespace)


def _method(name: str, documentation: str | None = None) -> tuple[str, Callable[..., Any]]:
    def method(self: SharedObject, /, *arguments: object, **named: object) -> Any:
        return _value(self._handle.ask("method", name, list(arguments), named))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = documentation
    return name, method


def _value(answer: Sequence[Any]) -> Any:
    match answer:
        case ["value", value]:
            return value
        case ["raised", name, message, arguments, traceback]:
            raise shared_errors.made(name, message, arguments, traceback) from None
    raise shared_errors.SharedError(f"the process of the shared objects answered with {answer[:1]!r}")


def _call(self: SharedObject, /, *arguments: object, **named: object) -> Any:
    return _value(self._handle.ask("call", None, list(arguments), named))


def _set_item(self: SharedObject, key: object, value: object) -> None:
    _value(self._handle.ask("set_item", key, value, root="new value"))


def _iterate(self: SharedObject) -> Iterator[Any]:
    return iter(_value(self._handle.ask("iterate")))


def _asking(operation: str) -> Callable[..., Any]:
    def ask(self: SharedObject, *key: object) -> Any:
        return _value(self._handle.ask(operation, *key))

    return ask


_PROTOCOLS: Final[dict[str, Callable[..., Any]]] = {
    **{name: _asking(operation) for name, operation in PROTOCOLS.items()},
    "__call__": _call,
    "__setitem__": _set_item,
    "__iter__": _iterate,
}
