"""Which parameters of a function ask, by their annotations, for something else than a list or a string.

`numpy.ndarray` and `numpy.typing.NDArray[...]` ask for an array, `memoryview` and `bytearray` for
themselves. The native part makes the arguments so, in one pass.
"""

import sys
import types
import typing
from collections.abc import Callable

MEMORY_VIEW, BYTE_ARRAY, ARRAY = "memoryview", "bytearray", "array"

# Only annotations that are texts with one of these in them are evaluated.
WORDS = ("memoryview", "bytearray", "ndarray", "NDArray")

Wanted = str | None
Special = tuple[list[Wanted], Wanted, dict[str, str]]
"""What the positional parameters want, what `*args` wants, and what those wanting something want by name."""


def special(function: Callable[..., object]) -> Special | None:
    """What a function's parameters want; None if none wants anything. Odd annotations are no error."""
    try:
        annotations = function.__annotations__
        code = function.__code__
        space = function.__globals__
    except Exception:
        return None
    wanted: dict[str, str] = {}
    for name, annotation in annotations.items():
        want = _wanted(_evaluated(annotation, space))
        if want is not None:
            wanted[name] = want
    count = code.co_argcount
    names = code.co_varnames
    positional = [wanted.get(name) for name in names[:count]]
    last = count + code.co_kwonlyargcount
    rest = wanted.get(names[last]) if code.co_flags & 0x04 else None
    by_name = {name: wanted[name] for name in names[code.co_posonlyargcount : last] if name in wanted}
    if any(positional) or rest or by_name:
        return positional, rest, by_name
    return None


def _evaluated(annotation: object, space: dict[str, object]) -> object:
    if not isinstance(annotation, str) or not any(word in annotation for word in WORDS):
        return annotation
    try:
        return eval(annotation, space)
    except Exception:
        return None


def _wanted(annotation: object) -> Wanted:
    if annotation is memoryview:
        return MEMORY_VIEW
    if annotation is bytearray:
        return BYTE_ARRAY
    numpy = sys.modules.get("numpy")
    array = getattr(numpy, "ndarray", None)
    origin = typing.get_origin(annotation)
    if array is not None and (annotation is array or origin is array):
        return ARRAY
    if origin is typing.Annotated:
        return _wanted(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        return _wanted(members[0]) if len(members) == 1 else None
    return None
