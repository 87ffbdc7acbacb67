"""`from php import Basket`, `from php.App.Models import User`: PHP's classes by PHP's names."""

import importlib.machinery
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.util import spec_from_loader
from typing import Any

from tortoise_worker import _native, php_classes
from tortoise_worker._native import Object
from tortoise_worker.php_protocols import THROWABLE

_ROOT = "php"

# Of the request of this number, which no other session has: Python asks for each name twice.
_found: tuple[int, dict[str, type]] = (0, {})


def attribute(namespace: str, name: str) -> Any:
    """What the module of a PHP namespace has under a name: the class.

    Raises ImportError if there is no such class, or nobody to be asked, and AttributeError for Python's own
    names.
    """
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(f"module {_module(namespace)!r} has no attribute {name!r}")
    php_name = f"{namespace}\\{name}" if namespace else name
    try:
        found = _class(php_name)
    except (php_classes.RequestOver, TimeoutError) as error:
        raise ImportError(
            f"cannot import {name!r} from {_module(namespace)!r}: no request of PHP is under way that"
            f" could be asked for its class {php_name} ({error}); import it in code that PHP calls",
            name=_module(namespace),
        ) from error
    if found is None:
        raise ImportError(
            f"cannot import {name!r} from {_module(namespace)!r}: PHP has no class {php_name}, and its"
            " autoloaders do not find one",
            name=_module(namespace),
        )
    return found


def _class(name: str) -> type | None:
    global _found
    request, (of_request, known) = _native.php_request(), _found
    if of_request != request:
        # Each thread that has a session of its own asks for its own request: what it found is in `known`.
        known = {}
        _found = (request, known)
    if name not in known:
        cls = _native.php_class(name)
        if cls is None:
            return None
        if issubclass(cls, Object) and getattr(cls, "_php_traits", 0) & THROWABLE:
            cls = php_classes.described_exception(cls.php_name, cls.php_parents)
        known[name] = cls
    return known[name]


def _module(namespace: str) -> str:
    return ".".join([_ROOT, *namespace.split("\\")]) if namespace else _ROOT


class _Namespaces(MetaPathFinder, Loader):
    """Makes the modules below `php`: each PHP namespace is one, whether it has classes or not."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A module for every name below `php`."""
        return spec_from_loader(fullname, self, is_package=True) if fullname.startswith(f"{_ROOT}.") else None

    def exec_module(self, module: types.ModuleType) -> None:
        """Gives the module its classes, on demand."""
        namespace = module.__name__.removeprefix(f"{_ROOT}.").replace(".", "\\")
        vars(module)["__getattr__"] = lambda name: attribute(namespace, name)


def install(php: types.ModuleType) -> None:
    """Makes `php` importable, and PHP's namespaces below it."""
    vars(php)["__path__"] = []
    sys.modules[_ROOT] = php
    sys.meta_path.insert(0, _Namespaces())
