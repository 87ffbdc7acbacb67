"""Tells which of a class's bases stand for PHP classes, and what of a class is Python's own."""

from collections.abc import Iterator
from typing import cast

from tortoise_worker import classes
from tortoise_worker._native import Property, naming

# By identity: a metaclass may say what it likes about equality.
_shadows: dict[int, type] = {}


def php_name_of(cls: type) -> str | None:
    """The PHP class that a class stands for; None of a class of Python's own."""
    if not is_shadow(cls) and not any(_is_root(base) for base in classes.mro_of(cls)):
        return None
    name = classes.namespace_of(cls).get("php_name")
    return name if type(name) is str else None


def is_shadow(cls: type) -> bool:
    """Whether a class stands for a PHP class that extends a class of Python."""
    return id(cls) in _shadows


def add_shadow(cls: type) -> None:
    """A class stands for a PHP class that extends a class of Python; it lives as long as the session."""
    _shadows[id(cls)] = cls


def name_of(cls: type) -> str:
    """The name that a class has in PHP, whichever language it is of."""
    name = php_name_of(cls)
    return name if name is not None else (naming() or classes.name_of)(cls)


def is_php(cls: type) -> bool:
    """Whether what a class has comes from PHP."""
    return _is_root(cls) or php_name_of(cls) is not None


def ancestors(cls: type) -> list[type]:
    """The classes among the bases of a class, or itself, that stand for PHP classes, the nearest first."""
    return [base for base in classes.mro_of(cls) if php_name_of(base) is not None]


def methods(cls: type) -> frozenset[str]:
    """The names of the methods, public and protected, of all PHP classes that a class extends."""
    found = (classes.namespace_of(base).get("php_methods") for base in ancestors(cls))
    return frozenset(name for names in found if names is not None for name in cast(tuple[str, ...], names))


def attributes_of(cls: type) -> Iterator[tuple[str, object]]:
    """What the class itself has under its names, as it was written: a default where a property stands now."""
    for name, value in classes.namespace_of(cls).items():
        yield name, value.defaults[0] if type(value) is Property and value.defaults else value


def provider_of(cls: type, name: str) -> type | None:
    """The class that decides what an attribute is, if that is Python's own: PHP's may come before it."""
    owner = next((base for base in classes.mro_of(cls) if name in classes.namespace_of(base)), None)
    return None if owner is None or is_php(owner) else owner


def check_single_parent(cls: type, parent: type) -> None:
    """Raises TypeError if a class extends PHP classes of which its PHP parent is none: PHP has one parent."""
    known = classes.mro_of(parent)
    for base in ancestors(cls):
        if not any(base is other for other in known):
            first = php_name_of(ancestors(parent)[0])
            raise TypeError(
                f"{classes.display_name_of(cls)} extends two PHP classes, {first} and {php_name_of(base)};"
                " a PHP class has one parent"
            )


def _is_root(cls: type) -> bool:
    """Whether it is `php.Object`, from which all classes of PHP objects are derived."""
    return classes.module_of(cls) == "php" and classes.qualified_name_of(cls) == "Object"
