"""Says which values can stand in PHP source, as a constant or as the default of a parameter."""

from collections.abc import Sequence
from typing import cast

from tortoise_worker._native import is_identifier

MAX_DEFAULT_BYTES = 4 << 10
"""Bytes of a text as a default: it is repeated in every signature that PHP shows."""
MAX_CONSTANT_BYTES = 64 << 10
"""Bytes of a text or of bytes as a constant."""
MAX_CONSTANT_DEPTH = 8
"""Nesting of a constant; the wire takes no more."""
MAX_CONSTANT_ITEMS = 1000
"""Items of a constant, with all that is nested in it."""


def is_name(name: object) -> bool:
    """Whether the wire takes it for the name of a member or a parameter."""
    return type(name) is str and _is_text(name, MAX_CONSTANT_BYTES) and is_identifier(name)


def is_default(value: object) -> bool:
    """Whether PHP can write it as a default. Bytes it cannot: they would come back as a text."""
    kind = type(value)
    if kind is int:
        return -(2**63) <= cast(int, value) < 2**63
    if kind is str:
        return _is_text(cast(str, value), MAX_DEFAULT_BYTES)
    return value is None or kind in (bool, float)


def is_constant(value: object) -> bool:
    """Whether PHP can write it as a constant: a scalar, or a short list of such."""
    return _items(value, MAX_CONSTANT_DEPTH) <= MAX_CONSTANT_ITEMS


def is_property_default(value: object) -> bool:
    """Whether PHP can write it as the default of a property: what can be a constant, or one dict of such."""
    if type(value) is not dict:
        return is_constant(value)
    if len(value) > MAX_CONSTANT_ITEMS or not all(_is_key(key) for key in value):
        return False
    return (
        len(value) + sum(_items(item, MAX_CONSTANT_DEPTH - 1) for item in value.values())
        <= MAX_CONSTANT_ITEMS
    )


def _is_key(key: object) -> bool:
    return (type(key) is int and is_default(key)) or (type(key) is str and _is_text(key, MAX_DEFAULT_BYTES))


def _items(value: object, depth: int) -> int:
    """How many items a constant has; more than the limit if it is none."""
    too_many = MAX_CONSTANT_ITEMS + 1
    kind = type(value)
    if kind in (list, tuple):
        items = cast(Sequence[object], value)
        if depth == 0 or len(items) > MAX_CONSTANT_ITEMS:
            return too_many
        total = 1
        for item in items:
            total += _items(item, depth - 1)
            if total > MAX_CONSTANT_ITEMS:
                break
        return total
    if kind is str:
        return 1 if _is_text(cast(str, value), MAX_CONSTANT_BYTES) else too_many
    if kind is bytes:
        return 1 if len(cast(bytes, value)) <= MAX_CONSTANT_BYTES else too_many
    return 1 if is_default(value) else too_many


def _is_text(text: str, limit: int) -> bool:
    """Whether a text fits, and is UTF-8: a lone surrogate is not."""
    try:
        return len(text) <= limit and len(text.encode()) <= limit
    except UnicodeEncodeError:
        return False
