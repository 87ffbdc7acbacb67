"""Tells which of Python's protocols the objects of a class have: PHP's class implements those interfaces.

Python looks a protocol up on the class, and None under its name takes it back.
"""

from tortoise_worker import classes, json_text, php_bases

# Bits of a description's traits.
TRAIT_COUNTABLE = 0b1000
TRAIT_SUBSCRIPTABLE = 0b1_0000
TRAIT_ITERABLE = 0b10_0000
TRAIT_TEXTUAL = 0b100_0000
TRAIT_JSON = 0b1000_0000


def traits_of(cls: type) -> int:
    """The bits of the protocols that a class has. What it has from PHP, PHP knows itself."""
    return (
        TRAIT_COUNTABLE * _has(cls, "__len__")
        | TRAIT_SUBSCRIPTABLE * _has(cls, "__getitem__")
        | TRAIT_ITERABLE * _has(cls, "__iter__")
        | TRAIT_TEXTUAL * _has_own_text(cls)
        | TRAIT_JSON * json_text.has_form(cls)
    )


def _has(cls: type, name: str) -> bool:
    provider = php_bases.provider_of(cls, name)
    return provider is not None and classes.namespace_of(provider)[name] is not None


def _has_own_text(cls: type) -> bool:
    """Whether `str()` gives more than the class's name and an address. It falls back on `repr()`."""
    if php_bases.ancestors(cls) and not _is_own_text(cls):
        return False
    text, representation = classes.inherited(cls, "__str__"), classes.inherited(cls, "__repr__")
    if text is None:
        return False
    return text is not object.__dict__["__str__"] or representation not in (None, object.__dict__["__repr__"])


def _is_own_text(cls: type) -> bool:
    """Whether a class below a PHP class has a text of Python's: `object` is behind all of PHP's."""
    provider = php_bases.provider_of(cls, "__str__")
    return provider is not None and provider is not object
