"""PHP, for Python code that PHP has called: in a session this is the module `php`.

    import php

    php.function("strlen")("tortoise")          # a PHP function, or a static method as "Class::method"
    php.items(traversable)                      # keys and values of what PHP's foreach takes
    try:
        callback()
    except php.Exception as error:              # what a callback of PHP's throws
        print(error.class_name, error.code, error.object)

    from php import Controller                  # a PHP class: a base class, and it makes objects
    from php.App.Models import User             # App\\Models\\User

PHP objects come as objects of classes that are derived from `php.Object`. Their public properties and methods
are attributes; an object that is `Countable` has a `len()`, one with `ArrayAccess` has items, one that is
`Traversable` can be iterated, one that is `Stringable` has a `str()`, and a `Closure` or what has an
`__invoke` can be called. They are true, whatever they hold, and live as long as PHP's request.

PHP does one thing at a time, and so it can be asked only while it waits for Python. A thread that asks at
another time waits until PHP does, for 60 s at most (TimeoutError); when PHP's request has ended, RequestOver
is raised.
"""

from collections.abc import Iterator
from typing import Any

from tortoise_worker import php_imports, php_protocols
from tortoise_worker._native import Function, Method, Object, has_property
from tortoise_worker.errors import PhpException
from tortoise_worker.php_classes import Closure, Exit, RequestOver, exception_class

__all__ = [
    "Closure",
    "Exception",
    "Exit",
    "Function",
    "Method",
    "Object",
    "RequestOver",
    "append",
    "equals",
    "exception_class",
    "function",
    "isset",
    "items",
    "method",
]

Exception = PhpException  # noqa: A001

function = Function
"""`function(name)`: the PHP function of a name. Whether there is one PHP says when it is called."""

method = Method
"""`method(object, name)`: the method of a PHP object, also where a property of the same name hides it."""


def items(traversable: Object) -> Iterator[tuple[Any, Any]]:
    """Keys and values, as `foreach ($traversable as $key => $value)` gives them: one at a time."""
    return php_protocols.pairs(traversable)


def isset(target: Object, name: str) -> bool:
    """Whether a property is there and not null, as PHP's `isset` says."""
    return bool(has_property(target, name))


def append(target: Object, value: object) -> None:
    """`$target[] = $value`"""
    php_protocols.operate(target, php_protocols.APPEND, value)


def equals(target: Object, other: object) -> bool:
    """`$target == $other`: PHP compares properties. Python's `==` says whether both are one object."""
    return bool(php_protocols.operate(target, php_protocols.EQUAL, other))


def __getattr__(name: str) -> Any:
    """The PHP class of this name, for `from php import Name`."""
    return php_imports.attribute("", name)
