"""The native part of a worker. Built from `crates/worker/src`."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

PRODUCT_VERSION: Final[str]
MAX_NAME_BYTES: Final[int]
MAX_PATH_BYTES: Final[int]
MAX_BASES: Final[int]
MAX_METHODS: Final[int]
MAX_PARAMETERS: Final[int]
MAX_CONSTANTS: Final[int]
MAX_DOCUMENTATION_BYTES: Final[int]
MAX_CAUSES: Final[int]
MAX_FRAMES: Final[int]
MAX_MESSAGE_BYTES: Final[int]
MAX_FRAME_BYTES: Final[int]
MAX_ROOTS: Final[int]
MAX_SHARED_OBJECTS: Final[int]

class _Hooks(Protocol):
    """See `tortoise_worker.session.Hooks`."""

    @property
    def describe(self) -> Any: ...
    @property
    def php_name(self) -> Any: ...
    @property
    def explain(self) -> Any: ...
    @property
    def set_roots(self) -> Any: ...
    @property
    def check_module(self) -> Any: ...
    @property
    def open_module(self) -> Any: ...
    @property
    def script_function(self) -> Any: ...
    @property
    def shared(self) -> Any: ...
    @property
    def conversion(self) -> type[BaseException]: ...
    @property
    def enter(self) -> Any: ...
    @property
    def leave(self) -> Any: ...
    @property
    def leave_all(self) -> Any: ...
    @property
    def coroutine(self) -> type: ...
    @property
    def coroutines(self) -> Any: ...
    @property
    def json(self) -> Any: ...
    @property
    def copy(self) -> Any: ...
    @property
    def refused(self) -> type[BaseException]: ...
    @property
    def classless(self) -> list[type]: ...
    @property
    def scalar_types(self) -> Any: ...
    @property
    def iterators(self) -> list[type]: ...
    @property
    def special(self) -> Any: ...
    @property
    def function(self) -> type: ...
    @property
    def method(self) -> type: ...
    @property
    def moments(self) -> Any: ...
    @property
    def php_class(self) -> Any: ...
    @property
    def shadow(self) -> Any: ...
    @property
    def half(self) -> Any: ...
    @property
    def php_thrown(self) -> Any: ...
    @property
    def php_exception(self) -> type[BaseException]: ...
    @property
    def php_over(self) -> type[BaseException]: ...
    @property
    def php_exit(self) -> type[BaseException]: ...
    @property
    def version(self) -> str: ...

class Object:
    """An object that lives in PHP: its attributes are PHP's public properties and methods.

    Each use of it asks PHP, and raises what PHP throws (`php.Exception`), AttributeError for what is not
    there or not public, TypeError for what cannot cross, `php.RequestOver` once PHP's request is over.
    """

    php_name: str
    """The name of its PHP class."""
    php_parents: Sequence[str]
    """The names of the parents of that, the nearest first, and then of its interfaces."""

    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: object) -> None: ...
    def __delattr__(self, name: str) -> None: ...

class Function:
    """A PHP function, or a static method as `Class::method`. Whether there is one turns out in a call."""

    __name__: str

    def __init__(self, name: str) -> None: ...
    def __call__(self, *arguments: object, **named: object) -> Any: ...

class Method:
    """A method of a PHP object."""

    __name__: str
    __self__: Object

    def __init__(self, target: Object, name: str, /) -> None: ...
    def __call__(self, *arguments: object, **named: object) -> Any: ...

class MethodDescriptor:
    """What the Python class of a PHP class has under the name of a method."""

    def __init__(self, name: str, php_class: str | None = None, is_protected: bool = False) -> None: ...
    def __get__(self, target: object | None, cls: type | None = None, /) -> Any: ...
    def __call__(self, target: object, /, *arguments: object, **named: object) -> Any: ...

class Property:
    """What the Python class of a PHP class has under the name of a property: the values live in PHP.

    Asked of the class it gives the default that a Python class has put in its place.
    """

    name: Final[str]
    php_class: Final[str]
    defaults: Final[tuple[()] | tuple[object]]

    def __init__(self, name: str, php_class: str, *default: object) -> None: ...
    def __get__(self, target: object | None, cls: type | None = None, /) -> Any: ...
    def __set__(self, target: object, value: object, /) -> None: ...
    def __delete__(self, target: object, /) -> None: ...

def is_half(target: object, /) -> bool:
    """Whether an object has one half in PHP and one here. False: PHP has all of it."""

def new_half(cls: type[Object], /) -> Any:
    """The Python half of an object of two, of a class that extends a PHP class."""

def php_class(name: str) -> type | None:
    """The Python class of a PHP class, which PHP loads if need be. RequestOver outside of a request."""

def php_request() -> int:
    """The number of PHP's request."""

def operate(target: Object, operation: int, /, *operands: object) -> Any:
    """One of PHP's protocols, by the number that it has on the wire."""

def has_property(target: Object, name: str, /) -> Any:
    """Whether a property is set, as PHP's `isset` says."""

def naming() -> Callable[[type], str] | None:
    """What names the classes of Python's own in PHP, for the session of this thread; None: it is of none."""

class Session:
    """A session, for what is to run in its name in another thread."""

    def call(self, function: Callable[..., Any], /, *arguments: object, **named: object) -> Any:
        """Calls a function in the name of the session: for its PHP."""

def current_session() -> Session | None:
    """The session of this thread, where the process may have many; None: it is of none."""

def serve(seat: Any, hooks: _Hooks, rules: Any, alarm: Any) -> str | None:
    """Serves a client over its stream socket until it leaves, or the session does.

    `seat`, `rules` and `alarm` are `session.Seat`, `settings.Settings` and `interrupts.Alarm`. The
    descriptors of the seat are taken over, but for `zygote`.

    Gives the reason if the session had to close the connection. Ends the process at once when the supervisor
    or the zygote is gone, and when user code still runs though the grace since the client left is over.
    """

def take_interrupt() -> bool:
    """Whether the call that is being done is to be interrupted. True once for each interrupt."""

def open_board(descriptor: int) -> int:
    """Opens the board behind a descriptor, and gives how many slots it has."""

def take_slot(number: int, thread: int | None = None) -> None:
    """Takes a slot of the board for this process, or for a thread of it."""

def free_slot(number: int) -> tuple[int, int]:
    """Frees a slot of the board, and gives how many requests and calls it showed."""

def adopt_orphans() -> None:
    """Makes the process the parent of those of its descendants whose parents end."""

def keep_from_forks(descriptors: Sequence[int]) -> None:
    """Remembers descriptors that a process that user code forks must not have."""

def forget_kept(first: int) -> None:
    """Forgets those descriptors of which this was the first: they are closed now."""

def limit_spinning(sessions: int | None) -> None:
    """Lets so many of the sessions forked from this process spin at once; None: as many as it has CPUs."""

def in_forked_child() -> None:
    """Takes the session's sockets from the process; to be called in one that user code forked."""

def enter_loop() -> None:
    """Says that the thread it is called in runs the loop of PHP's coroutines."""

def answer_coroutine(call: int, value: object, error: BaseException | None) -> None:
    """Sends PHP what the coroutine of a call has come to, as soon as that may be sent.

    There may be nobody any more to hear it. Raises RuntimeError if the session is in the middle of something.
    """

def check_loop() -> None:
    """Raises RuntimeError if the loop of PHP's coroutines cannot run anything, because it waits for PHP."""

def encode(value: object) -> bytes:
    """A value as MessagePack. Raises ValueError if an object is in it, which only a session can name."""

def is_identifier(name: str) -> bool:
    """Whether the wire takes a name for an identifier."""

def refusal(message: str, retry: bool) -> bytes:
    """The frame by which a client is told that it gets no session."""

def encode_shared(
    value: object, root: str, reduce: Callable[[Any], tuple[str, tuple[Any, ...]] | str], /
) -> bytes:
    """A value for another Python; see `shared_values`. ValueError, which says where, if it is none."""

def decode_shared(values: bytes, rebuild: Callable[[str, tuple[Any, ...]], object], /) -> list[Any]:
    """The values that stand one behind the other. ValueError if they are none."""

def shared_objects() -> Any:
    """How the session of this thread reaches the shared objects. RuntimeError if the thread is of none."""

class Watch:
    """Watches the callers of a process of shared objects, from a thread that never holds the GIL."""

    def __new__(cls, line: int, left: int, grace: float, not_run: bytes, /) -> Watch:
        """`line`: where this socket ends, the process ends `grace` seconds later, at latest.

        `left`: a pipe, into which the numbers of callers that leave are written, 8 bytes each, little-endian.
        `not_run`: what callers are sent whose calls are not made because the process ends.
        """

    def renew(self) -> None:
        """Ends the process, unless a call is being made. Whoever waits asks the next one."""

    def add(self, socket: int, /) -> Caller:
        """Watches a connection that the calling thread serves."""

class Caller:
    """One connection, and the thread that serves it."""

    @property
    def number(self) -> int:
        """What is written where it leaves."""

    @property
    def has_left(self) -> bool: ...
    def wait(self, label: str, /) -> None:
        """A call has been asked for, which the log calls so."""

    def begin(self) -> bool:
        """The call begins. False if it must not: the caller has left, or the process ends."""

    def end(self) -> None:
        """The call, or the wait for it, is over: nothing interrupts any more."""

    def rest(self) -> None:
        """The answer has been sent."""

    def interrupt(self, exception: type[BaseException], /) -> None:
        """Raises an exception in the call, if one is being made."""

    def close(self) -> None:
        """Does not watch it any more. Must come before the connection is closed."""
