"""`tortoise check`: imports each class file of the roots as a session would, and describes its classes.

A class file is one that binds a name by which PHP would find a class in it. Others, such as scripts, are
read but not run. What was found is printed as JSON, a line for each file.
"""

import ast
import faulthandler
import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TextIO

from tortoise_worker import classes, errors, naming, php_imports, preload, session, shared_objects
from tortoise_worker._native import is_identifier
from tortoise_worker.describe import Describer
from tortoise_worker.loader import Loader

# Code of ours that asks PHP or the sidecar when a class file that uses it is imported.
_OF_SESSIONS = frozenset((php_imports.__file__, shared_objects.__file__))


class File(NamedTuple):
    """A Python file in a class root that could hold a class of PHP's."""

    parts: tuple[str, ...]
    """Its relative path without `.py`."""
    path: str


class Problem(NamedTuple):
    """Why a class cannot be used."""

    file: str
    line: int
    """0 where there is none."""
    error: str
    """The exception's class and message."""
    traceback: str


def run(text: str) -> None:
    """Checks what a JSON object names, and ends the process.

    Its keys: `path`, the class roots; `preload`, modules; `skip`, how many things an earlier run has checked.
    """
    # Whatever user code prints goes to standard error: standard output is for our lines.
    report = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    os.dup2(2, 1)
    # A crash in an extension module shall say where it was; who hears us knows its text from our lines.
    faulthandler.enable(report, all_threads=False)
    given = json.loads(text)
    roots = list(given["path"])
    os.chdir("/")
    loader = Loader(roots, session.prepare())
    describer = Describer(loader)
    files = [file for root in roots for file in _files(root)]
    names: list[str] = given["preload"]
    skip: int = given["skip"]
    _say(report, total=len(names) + len(files))
    for place, name in enumerate(names):
        # What a module leaves behind, the classes may rely on: so a run after a crash imports it too.
        is_known = place < skip
        if not is_known:
            _say(report, begin=f"preload of {name}", place=place)
        problem = _preload(name)
        if not is_known:
            _say(report, **_end(problem))
    for place, file in enumerate(files, len(names)):
        if place >= skip:
            _say(report, begin=file.path, place=place)
            _say(report, **_checked(file, loader, describer))
    report.flush()
    # Threads of user code may run still, and are nobody's business any more.
    os._exit(0)


def _say(report: TextIO, **said: object) -> None:
    report.write(json.dumps(said) + "\n")


def _end(problem: Problem | None) -> Mapping[str, object]:
    return {"end": "module"} if problem is None else {"end": "broken", **problem._asdict()}


def _files(root: str) -> Iterator[File]:
    for folder, folders, names in os.walk(root):
        # No class of PHP's has a name for the others, so a virtual environment's packages are none of ours.
        folders[:] = sorted(name for name in folders if is_identifier(name) and name != "__pycache__")
        relative = os.path.relpath(folder, root)
        above = () if relative == "." else tuple(relative.split(os.sep))
        for name in sorted(names):
            stem, ending = os.path.splitext(name)
            if ending == ".py" and is_identifier(stem) and stem != "__init__":
                yield File((*above, stem), os.path.join(folder, name))


def _preload(name: str) -> Problem | None:
    """Imports a module as the worker does before its first session."""
    try:
        preload.import_module(name)
    except KeyboardInterrupt:
        raise
    except preload.ThreadsLeftError as error:
        return Problem(f"preload of {name}", 0, f"{error}; take it out of preload", "")
    except BaseException as error:
        return _problem(error, f"preload of {name}")
    return None


def _checked(file: File, loader: Loader, describer: Describer) -> Mapping[str, object]:
    """What there is to say of a file."""
    lines: dict[str, int] = {}
    try:
        with open(file.path, "rb") as source:
            tree = ast.parse(source.read(), file.path)
        lines = dict(_bound(tree.body))
        name = _class_of(file, lines)
        if name is None:
            return {"end": "none"}
        found = loader.find(file.parts)
        if found is not None and not os.path.samefile(found.file, file.path):
            return {"end": "note", "file": file.path, "line": 0, "error": f"{found.file} comes before it"}
        cls = loader.load(name)
        module = classes.module_of(cls)
        described = [cls] + [
            value
            for value in vars(sys.modules[module]).values()
            if classes.is_class(value) and classes.module_of(value) == module and value is not cls
        ]
        for each in described:
            describer.describe(each)
        return {"end": "ok", "class": describer.php_name_of(cls), "classes": len(described)}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if _needs_session(error):
            text = "it asks for PHP's classes or shared objects, which only sessions have; not checked"
            return {"end": "note", "file": file.path, "line": 0, "error": text}
        return _end(_problem(error, file.path, lines))


def _bound(body: Sequence[ast.stmt]) -> Iterator[tuple[str, int]]:
    """The names that a module's code may bind to a class, with their lines."""
    for statement in body:
        match statement:
            case ast.ClassDef(name=name):
                yield name, statement.lineno
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name, statement.lineno) for alias in names)
            case ast.Assign(targets=targets):
                names_of_targets = (target.id for target in targets if isinstance(target, ast.Name))
                yield from ((name, statement.lineno) for name in names_of_targets)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name, statement.lineno
            case ast.If() | ast.Try() | ast.With():
                for field in ("body", "orelse", "finalbody"):
                    yield from _bound(getattr(statement, field, []))
                for handler in getattr(statement, "handlers", []):
                    yield from _bound(handler.body)


def _class_of(file: File, bound: Mapping[str, int]) -> str | None:
    """A PHP name that leads to a class of the file, or None: it has none that PHP would find."""
    lowered = set(map(naming.lower, bound))
    for name in naming.spellings(file.parts):
        candidates = naming.candidates(name)
        if candidates is not None and not lowered.isdisjoint(map(naming.lower, candidates.classes)):
            return name
    return None


def _needs_session(error: BaseException) -> bool:
    """Whether it came to this because there is no PHP here, and no sidecar."""
    link: BaseException | None = error
    while link is not None:
        frames = traceback.walk_tb(link.__traceback__)
        if any(frame.f_code.co_filename in _OF_SESSIONS for frame, _ in frames):
            return True
        link = link.__cause__ or link.__context__
    return False


def _problem(error: BaseException, file: str, lines: Mapping[str, int] | None = None) -> Problem:
    """Where the class file stood when it went wrong; the message says where else, if it was elsewhere."""
    _, name, message, place, place_line, (text, _) = errors.explain(error)[0]
    line = min((lines or {}).values(), default=0)
    if isinstance(error, SyntaxError):
        message = error.msg
        line = (error.lineno or line) if error.filename == file else line
    for frame, frame_line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == file:
            line = frame_line
    said = f"{name}: {message}" if message else name
    if place is not None and place != file:
        said = f"{said} (at {place}:{place_line})"
    return Problem(file, line, said, text)
