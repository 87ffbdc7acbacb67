"""What PHP is told about a Python exception: class, message, place, traceback, and the same of its causes."""

import importlib
import itertools
import os
import traceback
import types
from collections.abc import Iterator, Sequence
from typing import Any

from tortoise_worker import classes
from tortoise_worker._native import (
    MAX_CAUSES,
    MAX_FRAMES,
    MAX_MESSAGE_BYTES,
    MAX_NAME_BYTES,
    MAX_PATH_BYTES,
    Object,
)

Frame = tuple[str, str | None, str, int]
"""A function, the class that defines it or None, the file, the line that it stood at or 0."""

Explanation = tuple[BaseException, str, str, str | None, int, tuple[str, list[Frame]]]
"""The exception, its class's name, its message, the file or None, the line or 0, its traceback.

A traceback is a text, and frames with the innermost first.
"""

Trail = list[tuple[types.FrameType, int]]
"""Frames with the lines that they stood at, the outermost first."""

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep

# Frames of an import that we started.
_IMPORTLIB = importlib.__file__
_FROZEN_IMPORTLIB = "<frozen importlib."


class AccessRefusedError(Exception):
    """The client asked for something that is not for clients; nothing of the user's has run."""


class PhpException(Exception):  # noqa: N818 - it is what PHP calls an exception
    """An exception of PHP's own: what a callback threw, or what the `__exit__` of a context manager sees.

    Where nobody catches it, PHP goes on with the very same object. In a session it is `php.Exception`.
    """

    php_parents: Sequence[str] = ()
    """The names of the parents of its PHP class, the nearest first, and then of its interfaces."""

    def __init__(self, class_name: str, message: str, code: int | str, file: str, line: int) -> None:
        super().__init__(message)
        self.class_name = class_name
        """The name of its PHP class."""
        self.message = message
        self.code = code
        """An integer, but for a few of PHP's own classes: a `PDOException` has an SQLSTATE."""
        self.file = file
        """The PHP file that threw it."""
        self.line = line
        self.object: Object | None = None
        """What a callback threw; its methods are there: `error.object.getPrevious()`."""


def explain(exception: BaseException) -> list[Explanation]:
    """The raised exception first, then what caused it, as far as Python would print it."""
    chain = list(_chain(exception))
    # Built once for the whole chain: each one of it holds those of its causes.
    printed: traceback.TracebackException | None
    try:
        printed = traceback.TracebackException(
            type(exception), exception, _field(exception, "__traceback__"), compact=True
        )
    except BaseException:
        # The printer asks the exception for its attributes, and so the user's code.
        printed = None
    explanations: list[Explanation] = []
    trail: Trail = []
    for link in chain:
        trail = _trail(link, trail)
        file, line = _place(link)
        message = _message(link)
        name = _limited(classes.display_name_of(type(link)), MAX_NAME_BYTES)
        text = _text(printed) if printed else _plain_text(link, f"{name}: {message}\n")
        told = _limited(text, MAX_MESSAGE_BYTES), _frames(link, trail)
        explanations.append((link, name, message, file, line, told))
        printed = (printed.__cause__ or printed.__context__) if printed else None
    return explanations


def has_only_own_frames(exception: BaseException) -> bool:
    """Whether an exception went through no code but ours."""
    frames = traceback.walk_tb(_field(exception, "__traceback__"))
    return all(frame.f_code.co_filename.startswith(_OWN_FOLDER) for frame, _ in frames)


def _chain(exception: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = exception
    while link is not None and id(link) not in seen and len(seen) < MAX_CAUSES:
        seen.add(id(link))
        yield link
        cause = _field(link, "__cause__")
        context = None if _field(link, "__suppress_context__") else _field(link, "__context__")
        link = cause if cause is not None else context


def _message(exception: BaseException) -> str:
    try:
        message = str(exception)
    except BaseException as second:
        first, then = (classes.display_name_of(type(each)) for each in (exception, second))
        message = f"(str() of the {first} failed with {then})"
    return _limited(message, MAX_MESSAGE_BYTES)


def _place(exception: BaseException) -> tuple[str | None, int]:
    """Where the exception was raised: the innermost line of a file that is the user's or a library's."""
    file, line = None, 0
    cls = type(exception)
    if classes.is_subclass(cls, SyntaxError) and type(_field(exception, "filename", SyntaxError)) is str:
        file, line = _field(exception, "filename", SyntaxError), _field(exception, "lineno", SyntaxError) or 0
    else:
        for frame, frame_line in traceback.walk_tb(_field(exception, "__traceback__")):
            name = frame.f_code.co_filename
            if not name.startswith(("<", _OWN_FOLDER)) and not (file is None and name == _IMPORTLIB):
                file, line = name, frame_line or 0
        if file is None and classes.is_subclass(cls, ImportError):
            path = _field(exception, "path", ImportError)
            file, line = (path, 1) if type(path) is str else (None, 0)
    if file is None or len(file.encode(errors="backslashreplace")) > MAX_PATH_BYTES:
        return None, 0
    return _limited(file, MAX_PATH_BYTES), line if type(line) is int and line >= 0 else 0


def _trail(exception: BaseException, around: Trail) -> Trail:
    """The frames of the user's program that an exception went through.

    A cause was caught inside of one of the frames `around` it: those outside of that are its own too.
    """
    trail = [
        (frame, line or 0)
        for frame, line in traceback.walk_tb(_field(exception, "__traceback__"))
        if not _is_own(frame.f_code.co_filename)
    ]
    if trail:
        catcher = trail[0][0]
        at = next((index for index, (frame, _) in enumerate(around) if frame is catcher), 0)
        trail[:0] = around[:at]
    return trail


def _frames(exception: BaseException, trail: Trail) -> list[Frame]:
    """The frames for the wire. Of too many those in the middle are left out."""
    frames = []
    if classes.is_subclass(type(exception), SyntaxError):
        # The code that could not be compiled never ran.
        file, line = (_field(exception, name, SyntaxError) for name in ("filename", "lineno"))
        if type(file) is str and trail and trail[-1][0].f_code.co_filename != file:
            frames.append(("<module>", None, _limited(file, MAX_PATH_BYTES), _line(line)))
    room = MAX_FRAMES - len(frames)
    if len(trail) > room:
        trail = trail[: room // 2] + trail[room // 2 - room :]
    return frames + [_frame(frame.f_code, line) for frame, line in reversed(trail)]


def _frame(code: types.CodeType, line: int) -> Frame:
    owner, _, name = code.co_qualname.rpartition(".")
    # A function around the class is no part of its name; a function in a function has no class.
    owner = owner.rpartition("<locals>")[2].removeprefix(".")
    name = _limited(name, MAX_NAME_BYTES)
    file = _limited(code.co_filename, MAX_PATH_BYTES)
    return name, _limited(owner, MAX_NAME_BYTES) if owner else None, file, _line(line)


def _line(line: object) -> int:
    return line if type(line) is int and 0 <= line < 1 << 31 else 0


def _text(printed: traceback.TracebackException) -> str:
    """The traceback without the frames by which the session entered the user's code."""
    try:
        kept = list(itertools.dropwhile(_is_entrance, printed.stack))
        printed.stack[:] = kept
        text = "".join(printed.format(chain=False))
        return text if kept else text.removeprefix("Traceback (most recent call last):\n")
    except Exception as second:
        return f"(the traceback could not be printed: {classes.display_name_of(type(second))})"


def _plain_text(exception: BaseException, last_line: str) -> str:
    """The traceback of an exception that the printer cannot print."""
    stack = traceback.StackSummary.extract(traceback.walk_tb(_field(exception, "__traceback__")))
    stack[:] = itertools.dropwhile(_is_entrance, stack)
    head = "Traceback (most recent call last):\n" if stack else ""
    return head + "".join(stack.format()) + last_line


def _field(exception: BaseException, name: str, owner: type = BaseException) -> Any:
    """An attribute as `owner` itself holds it: the exception's class, which is user code, is not asked."""
    return owner.__dict__[name].__get__(exception)


def _is_entrance(frame: traceback.FrameSummary) -> bool:
    return _is_own(frame.filename)


def _is_own(file: str) -> bool:
    return file == _IMPORTLIB or file.startswith((_OWN_FOLDER, _FROZEN_IMPORTLIB))


def _limited(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes of UTF-8, and a word that it is cut if it is."""
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) > limit:
        note = f"… [cut: {len(encoded)} bytes]".encode()
        encoded = encoded[: limit - len(note)] + note
    return encoded.decode(errors="ignore")
