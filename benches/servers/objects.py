"""What each server written by hand needs: the classes that it offers, and a table of the objects that clients hold."""

import itertools
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

FILES = {"Bench": "Bench.py", "Bench_Array": "Bench/Array.py"}
FOLDER = Path(__file__).parent.parent / "classes"

_classes: dict[str, Any] = {}
_objects: dict[int, Any] = {}
_numbers = itertools.count(1)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run a request: `op` is new, call or delete; `object` a number; `name` a class or a method; `arguments` a list.

    The reply has `result`, or `error` with a text.
    """
    try:
        return {"result": _run(request["op"], request["object"], request["name"], request["arguments"])}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def method(number: int, name: str) -> Any:  # noqa: ANN401
    """Return a bound method of an object of the table."""
    return getattr(_objects[number], name)


def create(name: str, arguments: list[Any]) -> Any:  # noqa: ANN401
    """Return a new object of a class of the benchmark."""
    if name not in _classes:
        # By its file: the folder Bench and Bench.py would be one module.
        specification = spec_from_file_location(name, FOLDER / FILES[name])
        if specification is None or specification.loader is None:
            raise ImportError(f"{FOLDER / FILES[name]} cannot be imported")
        module = module_from_spec(specification)
        specification.loader.exec_module(module)
        _classes[name] = getattr(module, name)
    return _classes[name](*arguments)


def ready(address: str) -> None:
    """Tell the benchmark where the server listens, now that it does."""
    print("ready", address, flush=True)


def main(serve: Any) -> None:  # noqa: ANN401
    """Run a server in the folder that the command line names, until it is interrupted."""
    if len(sys.argv) != 2:
        sys.exit(f"{sys.argv[0]} FOLDER")
    serve(Path(sys.argv[1]))


def _run(op: str, number: int, name: str, arguments: list[Any]) -> Any:  # noqa: ANN401
    match op:
        case "call":
            return method(number, name)(*arguments)
        case "new":
            number = next(_numbers)
            _objects[number] = create(name, arguments)
            return number
        case "delete":
            del _objects[number]
            return None
    raise ValueError(f"no such request: {op}")
