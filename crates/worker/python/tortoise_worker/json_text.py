"""Writes an object as JSON for PHP's `json_encode`: what has a form in JSON, and a clear error for all else.

That is dataclasses, mappings, sequences, numpy's arrays and scalars, and what Python's own `json` takes.
Within these, sets are arrays, enums their values, and dates texts in ISO 8601.
"""

import dataclasses
import datetime
import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tortoise_worker import classes

_NATIVE: tuple[type, ...] = (dict, list, tuple, str, int, float)
_BYTES = (bytes, bytearray)
_SETS = (set, frozenset)
_DATES = (datetime.date, datetime.time)
_NUMPY = ("ndarray", "generic")


def has_form(cls: type) -> bool:
    """Whether objects of a class have a form in JSON."""
    return (
        any(classes.is_subclass(cls, native) for native in _NATIVE)
        or classes.inherited(cls, "__dataclass_fields__") is not None
        or _is_numpy(cls)
        or _is_kind_of(cls, Mapping)
        or _is_kind_of(cls, Sequence)
    )


def write(value: object) -> str:
    """The object as JSON.

    Raises TypeError for what has no form, ValueError for what contains itself, for NaN and infinities,
    which JSON cannot have, and for keys of a dict that JSON cannot tell apart.
    """
    if not has_form(type(value)):
        raise _without_form(value)
    text = json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)
    json.loads(text, object_pairs_hook=_check_keys)
    return text


def _check_keys(pairs: list[tuple[str, object]]) -> None:
    """Only the JSON shows whether a dict within has keys as 1 and "1", which are one there."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f"two keys of a dict are {json.dumps(key)} in JSON")
        seen.add(key)


def _plain(value: Any) -> object:
    """What stands for a value that Python's own `json` does not know."""
    cls = type(value)
    if classes.inherited(cls, "__dataclass_fields__") is not None:
        names = (field.name for field in dataclasses.fields(value))
        return {name: getattr(value, name) for name in names if not name.startswith("_")}
    if _is_numpy(cls):
        return value.tolist()
    if any(classes.is_subclass(cls, known) for known in _BYTES):
        return _text(value)
    if any(classes.is_subclass(cls, known) for known in _SETS):
        return list(value)
    if any(classes.is_subclass(cls, known) for known in _DATES):
        return value.isoformat()
    if classes.is_subclass(cls, enum.Enum):
        return value.value
    if _is_kind_of(cls, Mapping):
        return dict(value)
    if _is_kind_of(cls, Sequence):
        return list(value)
    raise _without_form(value)


def _text(value: bytes | bytearray) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise TypeError(f"{type(value).__name__} that are not UTF-8 have no form in JSON: {error}") from None


def _without_form(value: object) -> TypeError:
    name = classes.display_name_of(type(value))
    return TypeError(
        f"an object of {name} has no form in JSON: dataclasses, mappings, sequences and arrays have one; "
        "give json_encode a value of it, such as a text or an attribute"
    )


def _is_numpy(cls: type) -> bool:
    return any(
        classes.module_of(base) == "numpy" and classes.qualified_name_of(base) in _NUMPY
        for base in classes.mro_of(cls)
    )


def _is_kind_of(cls: type, kind: type) -> bool:
    """Whether a class is, or is registered as, of an abstract kind. A base's own opinion may be broken."""
    try:
        return issubclass(cls, kind)
    except Exception:
        return False
