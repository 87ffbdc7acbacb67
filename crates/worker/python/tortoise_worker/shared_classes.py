"""What a session is told of the class of a shared object, which it does not import."""

from typing import Any, Final, NamedTuple

from tortoise_worker import classes, members
from tortoise_worker._native import MAX_METHODS

# The protocols of Python that are passed on where the class has them, and the operations that they are.
PROTOCOLS: Final = {
    "__call__": "call",
    "__len__": "length",
    "__bool__": "truth",
    "__getitem__": "get_item",
    "__setitem__": "set_item",
    "__delitem__": "delete_item",
    "__contains__": "contains",
    "__iter__": "iterate",
    "__str__": "text",
}


class SharedClass(NamedTuple):
    """A class, as far as another process needs it."""

    module: str
    qualified_name: str
    documentation: str | None
    methods: tuple[tuple[str, str | None], ...]
    """Names of its public methods with their documentation."""
    protocols: tuple[str, ...]
    """Those of `PROTOCOLS` that it has."""

    @property
    def display_name(self) -> str:
        """The class as messages name it."""
        return f"{self.module}.{self.qualified_name}"


def describe(cls: type) -> SharedClass:
    """What others are told of a class. None of its code runs."""
    methods: dict[str, str | None] = {}
    hidden: set[str] = set()
    for base in classes.mro_of(cls):
        if base is object:
            continue
        for method in members.public_methods(base, None):
            if method.name not in hidden:
                methods.setdefault(method.name, method.documentation)
        hidden |= classes.namespace_of(base).keys() - methods.keys()
    return SharedClass(
        classes.module_of(cls),
        classes.qualified_name_of(cls),
        members.documentation(classes.namespace_of(cls).get("__doc__")),
        tuple(methods.items())[:MAX_METHODS],
        tuple(name for name in PROTOCOLS if _has(cls, name)),
    )


def _has(cls: type, name: str) -> bool:
    found: Any = classes.inherited(cls, name)
    return found is not None and found is not object.__dict__.get(name)
