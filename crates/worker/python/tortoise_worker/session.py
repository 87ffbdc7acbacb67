"""One session: what the native loop needs from Python, and the run of it."""

import functools
import json
import os
import platform
import socket
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tortoise_worker import (
    _native,
    arrays,
    errors,
    json_text,
    moments,
    php,
    php_classes,
    php_imports,
    shadows,
)
from tortoise_worker.contexts import Contexts, Thrown
from tortoise_worker.control import Client
from tortoise_worker.coroutines import Coroutines
from tortoise_worker.describe import Describer, Description
from tortoise_worker.errors import AccessRefusedError
from tortoise_worker.interrupts import Alarm
from tortoise_worker.loader import Loader
from tortoise_worker.modules import Modules
from tortoise_worker.parameters import Special, special
from tortoise_worker.search_path import SearchPath
from tortoise_worker.settings import Settings
from tortoise_worker.shared_errors import ConversionError
from tortoise_worker.shared_objects import Connections
from tortoise_worker.sources import Sources

# PHP sees these as plain objects that can be called or have attributes: their types say nothing more.
CLASSLESS: tuple[type, ...] = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
)

# One of each kind of iterator that gives what a container holds, and runs no code to do so.
CONTAINER_ITERATORS: tuple[Iterator[object], ...] = (
    *(iter([]), reversed([]), iter(()), iter(range(0)), iter(range(2**64))),
    *(iter({}), iter({}.values()), iter({}.items())),
    *(reversed({}), reversed({}.values()), reversed({}.items())),
    *(iter(set()), iter(""), iter("\N{SNOWMAN}"), iter(b""), iter(bytearray())),
)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the native loop asks of Python. It reads each field once, when it starts."""

    describe: Callable[[str | type], Description]
    """Describes a class that PHP names, or one that it was handed."""
    php_name: Callable[[type], str]
    """The name that a class of Python's own has in PHP."""
    explain: Callable[[BaseException], list[errors.Explanation]]
    """Describes an exception and its causes."""
    set_roots: Callable[[list[str]], None]
    """Makes later look-ups search other class roots."""
    check_module: Callable[[types.ModuleType], None]
    """Raises `refused` if PHP may not use a module."""
    open_module: Callable[[str], object]
    """Imports a module for PHP."""
    script_function: Callable[[str, str], Callable[..., object]]
    """A function of a script, which is imported for it."""
    shared: Connections
    """How the session reaches the shared objects."""
    conversion: type[BaseException]
    """What is raised for an object where shared objects take and give only values."""
    enter: Callable[[object], tuple[int, object]]
    """Enters a context manager: the number of the context, and what `__enter__` gave."""
    leave: Callable[[int, Thrown], bool]
    """Leaves it: whether the manager took what was thrown upon itself."""
    leave_all: Callable[[], None]
    """Leaves what is still entered."""
    coroutine: type
    """The type of what an `async def` gives when it is called."""
    coroutines: Coroutines
    """Runs those that PHP calls."""
    json: Callable[[object], str]
    """Writes an object as JSON."""
    copy: Callable[[object], object]
    """Copies an object as PHP's `clone` does: what it holds is shared."""
    refused: type[BaseException]
    """What the others raise for "this is not for clients"."""
    classless: list[type]
    """Types whose instances PHP sees without a class."""
    scalar_types: Callable[[], dict[type, str]]
    """numpy's scalar types that are numbers of PHP."""
    iterators: list[type]
    """Types of iterators whose items may be taken ahead of time."""
    special: Callable[[Callable[..., object]], Special | None]
    """What the parameters of a function want by their annotations."""
    function: type
    """The type of functions."""
    method: type
    """The type of bound methods."""
    moments: types.ModuleType
    """What reads and makes points and spans of time."""
    php_class: Callable[..., type]
    """The Python class for the objects of a PHP class."""
    shadow: Callable[..., type]
    """The Python class for a PHP class that extends one of Python."""
    half: Callable[..., object]
    """The Python half of a new object of two, by `__new__` alone."""
    php_thrown: Callable[..., BaseException]
    """The Python exception of a PHP exception."""
    php_exception: type[BaseException]
    """What PHP's exceptions are derived from."""
    php_over: type[BaseException]
    """What is raised where PHP does not listen any more."""
    php_exit: type[BaseException]
    """What is raised where PHP ends its request in a callback."""
    has_changed: Callable[[], bool]
    """Whether a file has changed that was loaded."""
    version: str
    """Python's version."""


def narrowed(asked: list[str], served: list[list[str]]) -> list[str]:
    """Those of the served class roots that the client asks for in either spelling; all, if it asks for none.

    Raises `AccessRefusedError` if it asks only for others: the sidecar's own path decides.
    """
    wanted = {root.rstrip("/") for root in asked}
    roots = [canonical for canonical, given in served if not asked or wanted & {canonical, given}]
    if not roots:
        choice = ", ".join(canonical for canonical, _ in served) or "none"
        raise AccessRefusedError(
            f"none of the class roots {', '.join(asked)} is served here; tortoise.path can only choose among "
            f"the sidecar's own: {choice}"
        )
    return roots


def _report_changed(control: int, file: str) -> None:
    """Tells the supervisor that the worker's code is old. It hears that once more from the next session."""
    supervisor = socket.socket(fileno=os.dup(control))
    with supervisor, suppress(OSError):
        supervisor.send(json.dumps({"changed": file}).encode(), socket.MSG_DONTWAIT)


def prepare(*, is_shared: bool = False) -> SearchPath:
    """Makes the process one in which sessions can run: one, or several if it `is_shared`.

    Gives what they have in common.
    """
    php_imports.install(php)
    return SearchPath(is_shared=is_shared)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a session runs, and for whom: what the native loop is told."""

    client: int
    """The descriptor of the client's socket."""
    control: int
    """That of the supervisor's."""
    line: int
    """That of the line to the zygote."""
    php: int
    """The process id of PHP."""
    slot: int | None
    """On the board; None: it has none."""
    shared_memory: bool
    """Whether the client takes shared memory."""
    zygote: int | None
    """The process's own line to the zygote, where it has other sessions too: `line` ends in the process."""


class Session:
    """A session: made before it has a client, so that all is there when that comes."""

    def __init__(self, search_path: SearchPath, settings: Settings) -> None:
        self._settings = settings
        self._served: list[list[str]] | None = None
        self._loader = Loader([], search_path)
        self._describer = Describer(self._loader)
        self._modules = Modules(self._loader)
        self._coroutines = Coroutines()
        self._contexts = Contexts(self._coroutines)
        self._shared = Connections(self._loader)
        self._sources = Sources(self._loader)
        self._preloaded: Sources | None = None
        self._is_stale = False
        self._report: Callable[[str], None] = print
        self._hooks = self._make_hooks()

    def note_preloaded(self, roots: Sequence[str], search_path: SearchPath) -> None:
        """Remembers what files of class roots have been loaded already, for all sessions."""
        self._preloaded = Sources(Loader(roots, search_path))
        self._preloaded.note()
        # They are no business of the session's own, and it need not look at them again.
        self._sources.note()

    def begin(self, client: Client) -> None:
        """Makes the session a client's. Raises `AccessRefusedError` if that asks for what it cannot have."""
        self._served = client.served
        self._is_stale = client.is_stale
        self._loader.set_roots(client.roots)
        self._modules.let_in(client.modules, client.asked_modules, client.served is None)

    def close(self) -> None:
        """Ends what the session has running, where the process goes on after it."""
        self._coroutines.close()
        self._shared.end()

    def serve(
        self,
        client: Client,
        *,
        control: int,
        line: int,
        slot: int | None,
        alarm: Alarm,
        zygote: int | None = None,
    ) -> None:
        """Serves a client until one of both leaves. Takes descriptors over, but for `zygote`: see `Seat`."""
        self.begin(client)
        self._shared.begin(control, client.process)
        self._report = functools.partial(_report_changed, control)
        seat = Seat(client.socket, control, line, client.process, slot, client.shared_memory, zygote)
        reason = _native.serve(seat, self._hooks, self._settings, alarm)
        # PHP has gone, perhaps in the middle of a request.
        self._coroutines.cancel_all()
        self._contexts.leave_all()
        self._shared.close()
        if reason is not None:
            print(
                f"tortoise: the connection of PHP process {client.process} was closed: {reason}",
                file=sys.stderr,
            )

    def _set_roots(self, roots: list[str]) -> None:
        self._loader.set_roots(roots if self._served is None else narrowed(roots, self._served))
        self._describer.forget()
        self._modules.forget()

    def _has_changed(self) -> bool:
        """Asked before a request: whether another process must do it, because files have changed."""
        if self._preloaded is not None and (file := self._preloaded.changed()) is not None:
            self._report(file)
            if not self._is_stale:
                return True
            # There is no newer code that would run. The next change is another matter.
            self._is_stale = False
            self._preloaded.renew()
        return self._sources.look() is not None

    def _make_hooks(self) -> Hooks:
        return Hooks(
            describe=self._describer.describe,
            php_name=self._describer.php_name_of,
            explain=errors.explain,
            set_roots=self._set_roots,
            check_module=self._modules.check,
            open_module=self._modules.open,
            script_function=self._modules.function,
            shared=self._shared,
            conversion=ConversionError,
            enter=self._contexts.enter,
            leave=self._contexts.leave,
            leave_all=self._contexts.leave_all,
            coroutine=types.CoroutineType,
            coroutines=self._coroutines,
            json=json_text.write,
            copy=shadows.copied,
            refused=AccessRefusedError,
            classless=list(CLASSLESS),
            scalar_types=arrays.scalar_types,
            iterators=sorted(set(map(type, CONTAINER_ITERATORS)), key=repr),
            special=special,
            function=types.FunctionType,
            method=types.MethodType,
            moments=moments,
            php_class=php_classes.object_class,
            shadow=shadows.shadow_class,
            half=shadows.half,
            php_thrown=php_classes.thrown,
            php_exception=errors.PhpException,
            php_over=php_classes.RequestOver,
            php_exit=php_classes.Exit,
            has_changed=self._has_changed,
            version=platform.python_version(),
        )
