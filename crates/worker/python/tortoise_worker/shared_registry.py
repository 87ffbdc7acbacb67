"""The shared objects of a process by their names: makes them, and does what is asked of them, in turn."""

import itertools
import operator
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from tortoise_worker import Interrupted, classes, shared_classes, shared_marks, shared_values, shared_wire
from tortoise_worker._native import MAX_NAME_BYTES, MAX_SHARED_OBJECTS, Caller
from tortoise_worker.loader import Loader, shortened
from tortoise_worker.search_path import SearchPath
from tortoise_worker.shared_errors import ConversionError, SharedError
from tortoise_worker.shared_turns import Frame, Turn, interruptible, on_behalf
from tortoise_worker.sources import Sources

MAX_ITERATED = 1 << 20
"""Items that an iteration copies. An iterator without an end must not fill the memory."""

_ABSENT: Final = shared_wire.answer("absent")

_OPERATIONS: Final[dict[str, Callable[[Any, Any, Any, Any], object]]] = {
    "call": lambda target, _, operand, named: target(*operand, **named),
    "method": lambda target, member, operand, named: getattr(target, member)(*operand, **named),
    "get": lambda target, member, *_: getattr(target, member),
    "set": lambda target, member, operand, _: setattr(target, member, operand),
    "delete": lambda target, member, *_: delattr(target, member),
    "length": lambda target, *_: len(target),
    "truth": lambda target, *_: bool(target),
    "get_item": lambda target, member, *_: target[member],
    "set_item": lambda target, member, operand, _: operator.setitem(target, member, operand),
    "delete_item": lambda target, member, *_: operator.delitem(target, member),
    "contains": lambda target, member, *_: member in target,
    "iterate": lambda target, *_: _items(target),
    "text": lambda target, *_: str(target),
}


class Entry:
    """A shared object, or the place of one that is being made."""

    def __init__(self, name: str, selector: Any, arguments: bytes) -> None:
        self.name = name
        self.turn = Turn()
        self.selector = selector
        self.arguments = arguments
        """Those of its constructor, encoded: the constructor may change what it gets."""
        self.cls: type | None = None
        """None: it is not made yet."""
        self.description: shared_classes.SharedClass | None = None
        self.target: Any = None
        self.made = 0.0
        self.mark = shared_marks.Mark()

    def is_stale(self) -> bool:
        """Whether its time is over."""
        return self.mark.time_to_live is not None and time.monotonic() - self.made >= self.mark.time_to_live

    def make(self, cls: type) -> None:
        """Makes the object, or makes it anew."""
        operand, named = shared_values.decode(self.arguments)
        target = cls(*operand, **named)
        self.target, self.made = target, time.monotonic()
        self.mark = shared_marks.mark_of(cls)
        self.description = shared_classes.describe(type(target))
        self.cls = cls


class Registry:
    """The shared objects of those sessions that search the same class roots."""

    def __init__(
        self,
        roots: Sequence[str],
        search_path: SearchPath,
        count: Callable[[], int],
        renew: Callable[[str], None] | None = None,
    ) -> None:
        """`count` says how many objects the process has; `renew` ends it, because a file has changed."""
        self._loader = Loader(roots, search_path)
        self._sources = Sources(self._loader)
        self._renew = renew
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._count = count

    def __len__(self) -> int:
        return len(self._entries)

    def wake(self) -> None:
        """A caller has left: perhaps it waits for its turn."""
        for entry in list(self._entries.values()):
            entry.turn.wake()

    def answer(self, request: Sequence[Any], caller: Caller | None) -> Frame | None:
        """Does what is asked for. None if nobody is there to be told.

        A caller of None is another shared object, in the same thread.
        """
        operation, name, member, operand, named = request
        if caller is not None:
            caller.wait(f"the shared object {shortened(name)}: {_shown(operation, member)}")
        with on_behalf(self, caller) as has_left:
            if operation == "open":
                if self._renew is not None and (file := self._sources.changed()) is not None:
                    self._renew(file)
                return self._open(name, member, operand, named, caller, has_left)
            entry = self._entries.get(name)
            if entry is None or entry.cls is None:
                return _ABSENT
            return self._ask(entry, lambda: _done(entry, operation, member, operand, named), caller, has_left)

    def _open(
        self,
        name: str,
        selector: Any,
        operand: Any,
        named: Any,
        caller: Caller | None,
        has_left: Callable[[], bool],
    ) -> Frame | None:
        arguments = b"".join((shared_values.encode(operand, "args"), shared_values.encode(named, "kwargs")))
        while True:
            try:
                entry = self._place(name, selector, arguments)
            except Exception as error:
                return shared_wire.raised(error)
            if entry.cls is not None and entry.selector == selector:
                return _description(entry)
            if not entry.turn.enter(has_left):
                return None
            try:
                # Whoever was to make it may have failed, and taken the place away.
                if self._entries.get(name) is entry:
                    return interruptible(caller, lambda entry=entry: self._described(entry, selector))
            finally:
                if entry.cls is None and self._entries.get(name) is entry:
                    del self._entries[name]
                entry.turn.leave()

    def _place(self, name: str, selector: Any, arguments: bytes) -> Entry:
        with self._lock:
            entry = self._entries.get(name)
            if entry is None:
                if not name or len(name.encode(errors="replace")) > MAX_NAME_BYTES:
                    raise ValueError(
                        f"the name of a shared object has 1 to {MAX_NAME_BYTES} bytes, not {shortened(name)}"
                    )
                if self._count() >= MAX_SHARED_OBJECTS:
                    raise SharedError(
                        f"there are {MAX_SHARED_OBJECTS} shared objects already, which is the limit, and "
                        f"{shortened(name)} would be one more: use names again, or one object for many things"
                    )
                entry = self._entries[name] = Entry(name, selector, arguments)
            return entry

    def _described(self, entry: Entry, selector: Any) -> Frame:
        try:
            cls = self._class_of(selector)
            if entry.cls is None:
                entry.make(cls)
                if self._renew is not None:
                    self._sources.note()
            elif entry.cls is not cls:
                is_class, asked_class = map(classes.display_name_of, (entry.cls, cls))
                raise SharedError(
                    f"the shared object {shortened(entry.name)} is of class {is_class} already, "
                    f"not {asked_class}; a name stands for one object"
                )
        except Interrupted:
            raise
        except BaseException as error:
            return shared_wire.raised(error)
        return _description(entry)

    def _ask(
        self, entry: Entry, action: Callable[[], Frame], caller: Caller | None, has_left: Callable[[], bool]
    ) -> Frame | None:
        if entry.mark.thread_safe and not entry.is_stale():
            return interruptible(caller, action)
        if not entry.turn.enter(has_left):
            return None
        try:
            return interruptible(caller, action)
        finally:
            entry.turn.leave()

    def _class_of(self, selector: Any) -> type:
        if isinstance(selector, str):
            return self._loader.load(selector)
        module_name, qualified_name, file = selector
        parts = self._loader.parts_of(file) if file is not None else None
        found = self._loader.find(parts) if parts is not None else None
        module = self._loader.import_file(found) if found is not None else import_module(module_name)
        cls: Any = module
        for name in qualified_name.split("."):
            cls = getattr(cls, name)
        if not classes.is_class(cls):
            raise TypeError(
                f"{module_name}.{qualified_name} is no class in the process of the shared objects"
            )
        return cls


def _done(entry: Entry, operation: str, member: Any, operand: Any, named: Any) -> Frame:
    try:
        if entry.is_stale() and entry.cls is not None:
            entry.make(entry.cls)
        do = _OPERATIONS.get(operation)
        if do is None:
            raise ValueError(f"there is no operation {operation!r}")
        value = do(entry.target, member, operand, named)
        try:
            return shared_wire.answer("value", value, root=_root(operation, member))
        except ConversionError:
            if operation == "get" and callable(value):
                return shared_wire.answer("function")
            raise
    except Interrupted:
        raise
    except BaseException as error:
        # Also `SystemExit`: one caller does not end the process of all.
        return shared_wire.raised(error)


def _items(target: Any) -> list[object]:
    items = list(itertools.islice(iter(target), MAX_ITERATED + 1))
    if len(items) > MAX_ITERATED:
        raise SharedError(
            f"an iteration over a shared object copies at most {MAX_ITERATED} items; ask it for a part"
        )
    return items


def _root(operation: str, member: Any) -> str:
    return f"attribute {member}" if operation == "get" else "return value"


def _shown(operation: str, member: Any) -> str:
    return f"{member}()" if operation == "method" and isinstance(member, str) else operation


def _description(entry: Entry) -> Frame:
    return shared_wire.answer("value", tuple(entry.description or ()))
