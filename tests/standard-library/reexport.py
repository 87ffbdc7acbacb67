"""Makes a class root that has every public class of some modules, one file a class, and says what there is.

    reexport.py ROOT MODULE…

Prints a line of JSON for each class: its PHP name, its Python name, its public methods, the exceptions among its bases.
Modules that this Python was built without are left out.
"""

import importlib
import inspect
import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def public_classes(module: ModuleType) -> Iterator[tuple[str, type]]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    seen: set[str] = set()
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = getattr(module, name, None)
        # PHP has one class for names that differ in case only.
        is_new = name.lower() not in seen
        if is_new and issubclass(type(value), type) and re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", name):
            seen.add(name.lower())
            yield name, value


def public_methods(cls: type) -> list[str]:
    """What PHP must have a method for: what is a function in any class on the way up."""
    found = {}
    for base in type.mro(cls) if cls is not type else cls.__mro__:
        for name, value in vars(base).items():
            found.setdefault(name, value)
    return [
        name
        for name, value in found.items()
        if not name.startswith("_")
        and name.isidentifier()
        and inspect.isroutine(value)
        and (callable(value) or isinstance(value, classmethod))
    ]


def main(root: Path, modules: list[str]) -> None:
    for name in modules:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        folder = ["All", *(part.title().replace("_", "") for part in name.split("."))]
        for class_name, cls in public_classes(module):
            path = root.joinpath(*folder, *class_name.split("_")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"from {name} import {class_name}\n")
            record = {
                "php": "\\".join([*folder, class_name]),
                "python": f"{name}.{class_name}",
                "module": name,
                "methods": public_methods(cls),
                "isException": issubclass(cls, BaseException),
            }
            print(json.dumps(record))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
