"""Python's classes for PHP's classes that extend one of Python, and the Python halves of objects of two.

Such a class, a shadow, has what its PHP class itself declares: methods that call PHP's own ones, and
properties whose values live in PHP. So Python code that calls `self.title()` reaches PHP's override as it
would any other.
"""

import copy
import types
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tortoise_worker import classes, php_bases, php_classes, php_protocols
from tortoise_worker._native import Property
from tortoise_worker.php_classes import Members

_REDUCTIONS = ("__reduce_ex__", "__reduce__", "__getstate__", "__copy__")

# By PHP's name: what it was made of, and the class. Another request may have another class of the name.
_known: dict[str, tuple[tuple[Any, ...], type]] = {}


def shadow_class(
    parent: type,
    name: str,
    parents: Sequence[str],
    flags: int,
    all_methods: Sequence[str],
    methods: Members,
    properties: Members,
    traits: int,
) -> type:
    """The Python class for a PHP class that extends `parent` and itself declares these members."""
    made_of = (id(parent), parents, flags, all_methods, methods, properties, traits)
    known = _known.get(name)
    # An anonymous class has the name of others.
    if known is not None and known[0] == made_of and "@anonymous" not in name:
        return known[1]
    module, _, short = name.rpartition("\\")
    namespace = {
        "__module__": ".".join(["php", *module.split("\\")]) if module else "php",
        "__qualname__": short,
        "__doc__": None,
        "php_name": name,
        "php_parents": tuple(parents),
        "php_methods": tuple(all_methods),
        "php_open": True,
        **_members(parent, name, methods, properties, traits),
    }
    cls = types.new_class(short, (parent,), exec_body=lambda body: body.update(namespace))
    php_bases.add_shadow(cls)
    _known[name] = (made_of, cls)
    return cls


def _members(parent: type, name: str, methods: Members, properties: Members, traits: int) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for each, _ in properties:
        default = classes.inherited(parent, each)
        has_default = default is not None and classes.inherited(type(default), "__get__") is None
        members[each] = Property(each, name, default) if has_default else Property(each, name)
    own = [(method, flags) for method, flags in methods if not flags & php_classes.ABSTRACT]
    for method, flags in own:
        if not method.startswith("__"):
            members[method] = php_classes.method_of(name, method, flags)
    names = frozenset(method.lower() for method, _ in own)
    members |= php_protocols.of_class(name, traits, names, is_inherited=False)
    if "__construct" in names:
        members["__init__"] = php_protocols.constructor(name)
    if not any(_is_of_users(parent, reduction) for reduction in _REDUCTIONS):
        members["__reduce_ex__"] = php_classes.refuse_reduction
    return members


def _is_of_users(cls: type, name: str) -> bool:
    return classes.inherited(cls, name) not in (None, vars(object).get(name))


def half(cls: type, arguments: Sequence[Any] | None = None, named: Mapping[str, Any] | None = None) -> object:
    """The Python half of a new object, by `__new__` alone: with a constructor's arguments, or without any.

    Raises TypeError if `__new__` wants arguments and there are none, or gives an object of another class.
    """
    try:
        made = cast(Any, cls).__new__(cls, *(arguments or ()), **(named or {}))
    except TypeError as error:
        if arguments is not None or classes.inherited(cls, "__new__") is vars(object)["__new__"]:
            raise
        raise TypeError(
            f"{classes.display_name_of(cls)} cannot be made without its constructor's arguments ({error}):"
            " call parent::__construct() before anything of Python is used"
        ) from error
    if not classes.is_subclass(type(made), cls):
        raise TypeError(
            f"{classes.display_name_of(cls)}.__new__ gave an object of {classes.display_name_of(type(made))}"
        )
    return made


def copied(original: Any) -> object:
    """A copy as of PHP's `clone`: what it holds is shared. Of an object of two halves this one is copied."""
    cls = type(original)
    if not php_bases.ancestors(cls) or _is_of_users(cls, "__copy__"):
        return copy.copy(original)
    made = half(cls)
    if hasattr(original, "__dict__"):
        vars(made).update(vars(original))
    return made
