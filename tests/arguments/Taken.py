"""Classes that show which arguments they were given."""

import inspect
from collections.abc import Callable
from typing import Any


class Taken:
    """Keeps what its constructor was given, and shows what its methods are given."""

    def __init__(self, first: Any, second: Any = 2, *more: Any, third: Any = 3, **others: Any) -> None:
        self.given = [first, second, list(more), third, others]

    def plain(self, a: Any, b: Any) -> list[Any]:
        return [a, b]

    def optional(self, a: Any, b: Any = "b", c: Any = None) -> list[Any]:
        return [a, b, c]

    def keyword_only(self, a: Any, *, needed: Any, wanted: Any = "w") -> list[Any]:
        return [a, needed, wanted]

    def two_keywords(self, *, needed: Any, also: Any) -> list[Any]:
        return [needed, also]

    def positional_only(self, a: Any, b: Any = "b", /, c: Any = "c") -> list[Any]:
        return [a, b, c]

    def anything(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"args": list(args), "kwargs": kwargs}

    def list_only(self, *args: Any) -> list[Any]:
        return list(args)

    def names_only(self, **kwargs: Any) -> dict[str, Any]:
        return kwargs

    def rest_in_the_middle(self, a: Any, *rest: Any, z: Any = "z") -> list[Any]:
        return [a, list(rest), z]

    def mutable_default(self, item: Any, target: list[Any] = []) -> list[Any]:
        target.append(item)
        return target

    def object_default(self, key: Callable[[Any], Any] = len, value: Any = (1, 2)) -> bool:
        return key is len and value == (1, 2)

    def bytes_default(self, a: Any = 1.0, raw: bytes = b"raw", c: Any = -0.0) -> str:
        return repr([a, raw, c])

    def many(self, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any = 6) -> list[Any]:
        return [a, b, c, d, e, f]

    def hundred(self, *values: int) -> int:
        return len(values)

    def named_like_php(self, this: Any = 1, self_: Any = 2, GLOBALS: Any = 3) -> list[Any]:
        return [this, self_, GLOBALS]

    @staticmethod
    def static(a: Any, b: Any = "b") -> list[Any]:
        return [a, b]

    def renamed_and_more(self, a: Any = 1, this: Any = 2, **others: Any) -> list[Any]:
        return [a, this, others]

    @staticmethod
    def nothing() -> "Taken_Nothing":
        return Taken_Nothing()

    @staticmethod
    def recorder(*args: Any, **kwargs: Any) -> "Taken_Recorder":
        return Taken_Recorder(*args, **kwargs)

    @classmethod
    def of_class(cls, a: Any, b: Any = "b") -> list[Any]:
        return [cls.__name__, a, b]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("dynamic"):
            return lambda *args, **kwargs: [name, list(args), kwargs]
        raise AttributeError(name)


class Taken_Recorder:
    """Shows a signature with defaults, and tells what really came behind it."""

    __signature__ = inspect.Signature(
        [
            inspect.Parameter("a", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            inspect.Parameter("b", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=2),
            inspect.Parameter("c", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=3),
            inspect.Parameter("d", inspect.Parameter.KEYWORD_ONLY, default=4),
        ]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.given = [list(args), kwargs]

    def record(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [list(args), kwargs]

    record.__signature__ = inspect.Signature(
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            inspect.Parameter("a", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=1),
            inspect.Parameter("b", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="two"),
            inspect.Parameter("c", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None),
            inspect.Parameter("d", inspect.Parameter.KEYWORD_ONLY, default=False),
        ]
    )


class Taken_Nothing:
    """Has no constructor of its own."""

    def none(self) -> str:
        return "none"
