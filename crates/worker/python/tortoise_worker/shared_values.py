"""Values of shared objects as bytes: from one Python to another, so that each comes out as what it went in.

Only exact types are values: an object of any other class would have to be the same object on both sides.
"""

import datetime
import decimal
import enum
import fractions
import importlib
import sys
import types
import uuid
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any, Final

from tortoise_worker import classes
from tortoise_worker._native import decode_shared, encode_shared
from tortoise_worker.shared_errors import ConversionError

Parts = tuple[Any, ...]

# Characters of a class's name that a message shows.
MAX_SHOWN_NAME: Final = 200

# Types of numpy's elements that are plain numbers, texts or times: no objects, and no records of several.
_NUMPY_KINDS: Final = frozenset("biufcSUmM")


def encode(value: object, root: str) -> bytes:
    """A value as bytes. `root` is what it is to the call: `args`, `return value`.

    Raises `ConversionError`, which says where in the value something stands that is none.
    """
    try:
        return encode_shared(value, root, reduce)
    except ValueError as error:
        raise ConversionError(str(error)) from None


def decode(values: bytes) -> list[Any]:
    """The values that `encode` wrote, one behind the other. Raises `ValueError` for what it never writes."""
    return decode_shared(values, rebuild)


def reduce(value: Any) -> tuple[str, Parts] | str:
    """What MessagePack has no word for, as a tag and values that it is made of; or why it is no value."""
    cls = type(value)
    reducer = _REDUCERS.get(cls)
    if reducer is not None:
        return reducer(value)
    if issubclass(type(cls), enum.EnumMeta):
        return _reduce_member(value)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        if cls is numpy.ndarray and value.dtype.kind in _NUMPY_KINDS:
            return "array", (value.dtype.str, value.shape, value.tobytes())
        if issubclass(cls, numpy.generic) and cls is value.dtype.type and value.dtype.kind in _NUMPY_KINDS:
            return "scalar", (value.dtype.str, value.tobytes())
    name = classes.display_name_of(cls)[:MAX_SHOWN_NAME]
    return f"an object of type {name}, and shared objects take and give values only"


def rebuild(tag: str, parts: Parts) -> object:
    """What `reduce` took apart. Raises `ValueError` for what it never gives."""
    builder = _BUILDERS.get(tag)
    if builder is None:
        raise ValueError(f"there is no value with the tag {tag[:40]!r}")
    return builder(*parts)


def _reduce_integer(value: int) -> tuple[str, Parts]:
    length = value.bit_length() // 8 + 1
    return "int", (value.to_bytes(length, "little", signed=True),)


def _reduce_zone(value: datetime.timezone) -> tuple[str, Parts]:
    offset = value.utcoffset(None)
    is_named = value != datetime.UTC and value.tzname(None) != datetime.timezone(offset).tzname(None)
    return "zone", (offset, value.tzname(None) if is_named else None)


def _reduce_zone_info(value: zoneinfo.ZoneInfo) -> tuple[str, Parts] | str:
    return ("place", (value.key,)) if value.key is not None else "a time zone that was read from a file"


def _reduce_time(value: datetime.time) -> tuple[str, Parts]:
    return "time", (value.hour, value.minute, value.second, value.microsecond, value.fold, value.tzinfo)


def _reduce_moment(value: datetime.datetime) -> tuple[str, Parts]:
    date = value.year, value.month, value.day
    time = value.hour, value.minute, value.second, value.microsecond
    return "datetime", (*date, *time, value.fold, value.tzinfo)


def _reduce_member(member: Any) -> tuple[str, Parts] | str:
    """A member of an enumeration goes by its name, if the other side finds the class by its name too."""
    cls = type(member)
    module, qualified_name = classes.module_of(cls), classes.qualified_name_of(cls)
    if _class_named(sys.modules.get(module), qualified_name) is not cls:
        name = classes.display_name_of(cls)[:MAX_SHOWN_NAME]
        return f"a member of the enumeration {name}, which cannot be imported"
    name = member._name_
    if name is not None and name in cls.__members__:
        return "enum", (module, qualified_name, name, None)
    # Flags that are set together.
    return "enum", (module, qualified_name, None, member._value_)


def _build_member(module: str, qualified_name: str, name: str | None, value: object) -> object:
    cls: Any = _class_named(importlib.import_module(module), qualified_name)
    if not issubclass(type(cls), enum.EnumMeta):
        raise ValueError(f"{module}.{qualified_name} is no enumeration here")
    return cls(value) if name is None else cls[name]


def _class_named(module: object, qualified_name: str) -> object:
    found = module
    for name in qualified_name.split("."):
        found = getattr(found, name, None)
    return found


def _build_array(dtype: str, shape: Sequence[int], content: bytes) -> object:
    numpy = importlib.import_module("numpy")
    return numpy.ndarray(tuple(shape), numpy.dtype(dtype), bytearray(content))


def _build_dict(*parts: Any) -> dict[Any, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


_REDUCERS: dict[type, Callable[[Any], tuple[str, Parts] | str]] = {
    tuple: lambda value: ("tuple", value),
    list: lambda value: ("list", tuple(value)),
    dict: lambda value: ("dict", tuple(part for pair in value.items() for part in pair)),
    set: lambda value: ("set", tuple(value)),
    frozenset: lambda value: ("frozenset", tuple(value)),
    int: _reduce_integer,
    str: lambda value: ("text", (value.encode("utf-8", "surrogatepass"),)),
    bytearray: lambda value: ("bytearray", (bytes(value),)),
    complex: lambda value: ("complex", (value.real, value.imag)),
    decimal.Decimal: lambda value: ("decimal", (str(value),)),
    fractions.Fraction: lambda value: ("fraction", (value.numerator, value.denominator)),
    uuid.UUID: lambda value: ("uuid", (value.bytes,)),
    range: lambda value: ("range", (value.start, value.stop, value.step)),
    slice: lambda value: ("slice", (value.start, value.stop, value.step)),
    types.EllipsisType: lambda _: ("ellipsis", ()),
    datetime.date: lambda value: ("date", (value.year, value.month, value.day)),
    datetime.time: _reduce_time,
    datetime.datetime: _reduce_moment,
    datetime.timedelta: lambda value: ("timedelta", (value.days, value.seconds, value.microseconds)),
    datetime.timezone: _reduce_zone,
    zoneinfo.ZoneInfo: _reduce_zone_info,
}

_BUILDERS: dict[str, Callable[..., object]] = {
    "tuple": lambda *parts: parts,
    "list": lambda *parts: list(parts),
    "dict": _build_dict,
    "set": lambda *parts: set(parts),
    "frozenset": lambda *parts: frozenset(parts),
    "int": lambda content: int.from_bytes(content, "little", signed=True),
    "text": lambda content: content.decode("utf-8", "surrogatepass"),
    "bytearray": bytearray,
    "complex": complex,
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "uuid": lambda content: uuid.UUID(bytes=content),
    "range": range,
    "slice": slice,
    "ellipsis": lambda: ...,
    "date": datetime.date,
    "time": lambda *parts: datetime.time(*parts[:4], fold=parts[4], tzinfo=parts[5]),
    "datetime": lambda *parts: datetime.datetime(*parts[:7], fold=parts[7], tzinfo=parts[8]),
    "timedelta": datetime.timedelta,
    "zone": lambda offset, name: datetime.timezone(offset, *([] if name is None else [name])),
    "place": zoneinfo.ZoneInfo,
    "enum": _build_member,
    "array": _build_array,
    "scalar": lambda dtype, content: _build_array(dtype, (), content)[()],  # type: ignore[index]
}
