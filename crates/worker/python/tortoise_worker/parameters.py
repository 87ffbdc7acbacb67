"""Which parameters of a function ask, by their annotations, for something else than PHP's plain values.

| annotation | is given |
|---|---|
| `bytes`, `bytearray`, `memoryview` | that, of any string |
| `numpy.ndarray`, `NDArray[...]` | an array, of a list of numbers or of rows |
| `tuple`, `set`, `frozenset`, `collections.abc.Set` | that, of a list |
| `dict`, `Mapping`, a `TypedDict` | a dict, also of a list: `[]` is `{}`, `['a']` is `{0: 'a'}` |
| `datetime` | a datetime as it is, or of a string in ISO 8601 |
| `date`, `time` | the day or time of a datetime, or of a string in ISO 8601 |
| `timedelta` | a timedelta as it is, or of a number of seconds |
| an `Enum` | the member of a value, else of a name |
| a dataclass | an object of it, of a map of its fields |
| `Decimal` | of an int, a string, or a float as Python writes it |
| `UUID`, `Path` | of a string |
| `Optional[...]`, `A \\| B` | the first member that fits |
| `list[...]`, `Sequence[...]` and the like of these | a list with such elements |

The first two lines are made by the native part, in one pass. None, and objects that are no values of
PHP, are given as they are; a value that fits nothing is an error that names the place, what is due and
what was given. An annotation that is unknown, odd or cannot be evaluated asks for nothing, and so does one
of a function that is made anew in each call of another: such functions share their code, but perhaps not
their annotations. A `bytes` beside a `str` asks for nothing: PHP's plain rule says which of them a string is.
"""

import sys
import types
import typing
from collections.abc import Callable

from tortoise_worker.adapters import Adapter, adapter_of

BYTES, MEMORY_VIEW, BYTE_ARRAY, ARRAY = "bytes", "memoryview", "bytearray", "array"

# Annotations that ask for nothing, which need not be evaluated.
PLAIN = frozenset(("int", "str", "float", "bool", "object", "None", "Any", "list"))
VARIADIC, NESTED = 0x04, 0x10

Wanted = str | Adapter | None
Special = tuple[list[Wanted], Wanted, dict[str, str | Adapter]]
"""What the positional parameters want, what `*args` wants, and what those wanting something want by name."""


def special(function: Callable[..., object]) -> Special | None:
    """What a function's parameters want; None if none wants anything. Odd annotations are no error."""
    try:
        annotations = function.__annotations__
        code = function.__code__
        space = function.__globals__
    except Exception:
        return None
    # The constructors that dataclasses make are nested too.
    is_shared = bool(code.co_flags & NESTED) and code.co_filename != "<string>"
    wanted: dict[str, str | Adapter] = {}
    for name, annotation in annotations.items():
        want = _wanted(_evaluated(annotation, space), is_shared) if name != "return" else None
        if want is not None:
            wanted[name] = want
    count = code.co_argcount
    names = code.co_varnames
    positional = [wanted.get(name) for name in names[:count]]
    last = count + code.co_kwonlyargcount
    rest = wanted.get(names[last]) if code.co_flags & VARIADIC else None
    by_name = {name: wanted[name] for name in names[code.co_posonlyargcount : last] if name in wanted}
    if any(positional) or rest or by_name:
        return positional, rest, by_name
    return None


def _evaluated(annotation: object, space: dict[str, object]) -> object:
    if not isinstance(annotation, str) or annotation in PLAIN:
        return annotation
    try:
        return eval(annotation, space)
    except Exception:
        return None


def _wanted(annotation: object, is_shared: bool) -> Wanted:
    try:
        return _native(annotation) or (None if is_shared else adapter_of(annotation))
    except Exception:
        return None


def _native(annotation: object) -> str | None:
    if annotation is bytes:
        return BYTES
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
        return _native(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        return _native(members[0]) if len(members) == 1 else None
    return None
