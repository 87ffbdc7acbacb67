"""What makes of PHP's plain values what an annotation names: see `parameters`."""

import collections.abc
import dataclasses
import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable
from datetime import datetime, timedelta

from tortoise_worker.misfit import MisfitError, name_of
from tortoise_worker.php_callables import php_callable
from tortoise_worker.scalars import SCALARS, enum_member, path

Adapt = Callable[[typing.Any], object]
"""Gives the value that fits, or raises `MisfitError`."""

VALUES = frozenset((bool, int, float, str, bytes, list, dict, datetime, timedelta))
"""The types of PHP's values; whatever is of another is an object that PHP hands back, or None."""

SETS = {set: set, frozenset: frozenset, collections.abc.Set: frozenset, collections.abc.MutableSet: set}
LISTS = frozenset(
    (
        *(list, collections.abc.Sequence, collections.abc.MutableSequence),
        *(collections.abc.Iterable, collections.abc.Collection),
    )
)
MAPPINGS = frozenset((dict, collections.abc.Mapping, collections.abc.MutableMapping))
UNIONS = (typing.Union, types.UnionType)

# Dataclasses may hold each other: the first look at one leaves this behind before it looks at the fields.
_dataclasses: dict[type, Adapt] = {}


class Adapter:
    """Adapts an argument, for the native part."""

    __slots__ = ("adapt",)

    def __init__(self, adapt: Adapt) -> None:
        self.adapt = adapt

    def __call__(self, value: object) -> tuple[object, tuple[list[int | str], str] | None]:
        """The value that fits; or where in it something does not, and why."""
        try:
            return self.adapt(value), None
        except MisfitError as error:
            return None, (error.steps, error.reason)


def adapter_of(annotation: object) -> Adapter | None:
    """What makes values for the annotation; None if it asks for nothing."""
    adapt = adapt_of(annotation)
    return None if adapt is None else Adapter(adapt)


def adapt_of(annotation: typing.Any) -> Adapt | None:
    """As `adapter_of`, inside another one."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return adapt_of(arguments[0])
    if isinstance(annotation, typing.NewType):
        return adapt_of(annotation.__supertype__)
    if origin in UNIONS:
        return _union(annotation, arguments)
    kind = origin or annotation
    if not isinstance(kind, type):
        return None
    if kind is collections.abc.Callable:
        return _values(php_callable)
    adapt = _container(annotation, kind, arguments) or SCALARS.get(kind) or path(kind)
    if adapt is None and issubclass(kind, enum.Enum):
        adapt = enum_member(kind)
    if adapt is not None:
        return _values(adapt)
    return _dataclass(kind) if dataclasses.is_dataclass(kind) else None


def _values(adapt: Adapt) -> Adapt:
    return lambda value: adapt(value) if type(value) in VALUES else value


def _container(annotation: object, kind: type, arguments: tuple[object, ...]) -> Adapt | None:
    if kind is tuple:
        return _tuple(annotation, arguments)
    if kind in SETS:
        return _set(annotation, SETS[kind], adapt_of(arguments[0]) if arguments else None)
    if kind in LISTS:
        element = adapt_of(arguments[0]) if arguments else None
        return None if element is None else lambda value: _elements(_list(annotation, value), element)
    if typing.is_typeddict(kind):
        return _mapping(annotation, _text_key, None)
    if kind in MAPPINGS:
        if len(arguments) != 2:
            return _mapping(annotation, None, None)
        key = _text_key if arguments[0] is str else adapt_of(arguments[0])
        return _mapping(annotation, key, adapt_of(arguments[1]))
    return None


def _list(annotation: object, value: object) -> list[object]:
    if type(value) is not list:
        raise MisfitError(name_of(annotation), value)
    return value


def _elements(values: list[object], adapt: Adapt | None) -> list[object]:
    if adapt is None:
        return values
    return [_at(index, adapt, value) for index, value in enumerate(values)]


def _at(step: int | str, adapt: Adapt | None, value: object) -> object:
    try:
        return value if adapt is None else adapt(value)
    except MisfitError as error:
        raise error.below(step) from None


def _tuple(annotation: object, arguments: tuple[object, ...]) -> Adapt:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        element = adapt_of(arguments[0])
        return lambda value: tuple(_elements(_list(annotation, value), element))
    elements = [adapt_of(argument) for argument in arguments]

    def adapt(value: object) -> object:
        values = _list(annotation, value)
        if not elements:
            return tuple(values)
        if len(values) != len(elements):
            raise MisfitError(
                name_of(annotation), value, f"{len(values)} elements instead of {len(elements)}"
            )
        return tuple(_at(index, adapt, values[index]) for index, adapt in enumerate(elements))

    return adapt


def _set(annotation: object, make: Callable[[list[object]], object], element: Adapt | None) -> Adapt:
    def adapt(value: object) -> object:
        try:
            return make(_elements(_list(annotation, value), element))
        except TypeError as error:
            raise MisfitError(name_of(annotation), value, str(error)) from None

    return adapt


def _text_key(key: object) -> object:
    """PHP makes an integer of a key such as "7", and of no other: so it can be made the text that it was."""
    return str(key) if type(key) is int else key


def _mapping(annotation: object, adapt_key: Adapt | None, adapt_value: Adapt | None) -> Adapt:
    def adapt(value: object) -> object:
        if type(value) is list:
            value = dict(enumerate(value))
        if type(value) is not dict:
            raise MisfitError(name_of(annotation), value)
        if adapt_key is None and adapt_value is None:
            return value
        adapted = {_at(key, adapt_key, key): _at(key, adapt_value, item) for key, item in value.items()}
        if len(adapted) != len(value):
            raise MisfitError(name_of(annotation), value, "two of its keys are the same then")
        return adapted

    return adapt


def _union(annotation: object, members: tuple[typing.Any, ...]) -> Adapt | None:
    members = tuple(member for member in members if member is not type(None))
    if len(members) == 1:
        return adapt_of(members[0])
    # Of a string that may be both PHP's plain rule says which.
    plain = (bytes,) if str in members else ()
    is_callable = collections.abc.Callable in (typing.get_origin(member) or member for member in members)
    keeps_text = is_callable and str in members
    candidates = [(member, None if member in plain else adapt_of(member)) for member in members]
    if all(adapt is None for _, adapt in candidates):
        return None

    def adapt(value: object) -> object:
        if keeps_text and type(value) is str:
            return value
        for member, adapt_member in candidates:
            if adapt_member is None:
                if _is(value, member):
                    return value
                continue
            try:
                return adapt_member(value)
            except MisfitError:
                continue
        raise MisfitError(name_of(annotation), value)

    return _values(adapt)


def _is(value: object, member: typing.Any) -> bool:
    """Whether a value is of a type. Of what is no type, or cannot tell, everything is."""
    kind = typing.get_origin(member) or member
    if kind is typing.Literal:
        return value in typing.get_args(member)
    if kind is float and type(value) is int:
        # As everywhere in Python's annotations.
        return True
    try:
        return not isinstance(kind, type) or isinstance(value, kind)
    except Exception:
        return True


def _dataclass(kind: type) -> Adapt:
    if kind not in _dataclasses:
        adapts: dict[str, Adapt | None] = {}
        required: set[str] = set()

        def adapt(value: typing.Any) -> object:
            value = {} if value == [] else value
            if type(value) is not dict:
                raise MisfitError(f"a map of the fields of {kind.__qualname__}", value)
            for name in value:
                if name not in adapts:
                    raise MisfitError(f"a field of {kind.__qualname__}", name)
            if missing := sorted(required - value.keys()):
                raise MisfitError(
                    f"all fields of {kind.__qualname__}", value, f"{', '.join(missing)} missing"
                )
            return kind(**{name: _at(name, adapts[name], item) for name, item in value.items()})

        _dataclasses[kind] = _values(adapt)
        hints = _hints(kind)
        for field in dataclasses.fields(kind):
            if field.init:
                adapts[field.name] = adapt_of(hints.get(field.name))
                if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                    required.add(field.name)
    return _dataclasses[kind]


def _hints(kind: type) -> dict[str, object]:
    """The annotations of a class and its bases; those that cannot be evaluated are left out."""
    try:
        return typing.get_type_hints(kind)
    except Exception:
        hints: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        space = getattr(sys.modules.get(base.__module__), "__dict__", {})
        for name, annotation in inspect.get_annotations(base).items():
            one = types.SimpleNamespace(__annotations__={name: annotation})
            try:
                hints |= typing.get_type_hints(one, space)
            except Exception:
                hints.pop(name, None)
    return hints
