"""The native part of a worker. Built from `crates/worker/src`."""

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

class _Hooks(Protocol):
    """See `tortoise_worker.session.Hooks`."""

    @property
    def describe(self) -> Any: ...
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
    def enter(self) -> Any: ...
    @property
    def leave(self) -> Any: ...
    @property
    def leave_all(self) -> Any: ...
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
    def version(self) -> str: ...

def serve(client: int, supervisor: int, hooks: _Hooks, shared_memory: bool) -> str | None:
    """Serves a client over its stream socket until it leaves; takes both descriptors over.

    Offers shared memory with the welcome if `shared_memory`; the socket serves where the system gives none.

    Gives the reason if the session had to close the connection. Ends the process at once when the
    supervisor's socket hangs up, and 5 seconds after the client has gone if user code still runs then.
    """

def limit_spinning(sessions: int | None) -> None:
    """Lets so many of the sessions forked from this process spin at once; None: as many as it has CPUs."""

def in_forked_child() -> None:
    """Takes the session's sockets from the process; to be called in one that user code forked."""

def encode(value: object) -> bytes:
    """A value as MessagePack. Raises ValueError if an object is in it, which only a session can name."""

def is_identifier(name: str) -> bool:
    """Whether the wire takes a name for an identifier."""

def refusal(message: str, retry: bool) -> bytes:
    """The frame by which a client is told that it gets no session."""
