"""What the supervisor tells a worker when it starts it: one JSON object, of the sidecar's settings."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker and its sessions behave. A bound of 0 is none."""

    spinning_sessions: int | None = None
    """How many sessions at once may spin; None: as many as there are CPUs."""
    isolation: str = "process"
    """`process`: a process for each session; `thread`: a thread."""
    workers: int = 0
    """With `thread`: how many processes share the sessions."""
    preload: Sequence[str] = ()
    """Modules that are imported before the first session is forked."""
    path: Sequence[str] = ()
    """Class roots, where modules of `preload` may lie."""
    spare_sessions: int = 0
    """How many processes wait for a client, forked and set up."""
    max_requests: int = 0
    """How many requests a session serves before it retires."""
    max_age: float = 0
    """After how many seconds a session retires."""
    max_memory: int = 0
    """A session retires when it has more than so many bytes in memory at the end of a request."""
    memory_limit: int = 0
    """How many bytes of data a session can have; more is a MemoryError."""
    grace: float = 5
    """Seconds that a call has after it was interrupted, before its session is ended by force; 0: none."""
    reload: str = "never"
    """`on-change`: a session whose files have changed retires before the next request."""
    slow_log: str | None = None
    """The file in which it is written where an overdue call was; None: standard error."""
    log: str | None = None
    """The name of the sidecar's log file, for messages."""

    @classmethod
    def of(cls, text: str) -> "Settings":
        """Those of a JSON object. Ends the process if one is unknown: the supervisor is of another build."""
        given = json.loads(text)
        unknown = set(given) - {field.name for field in fields(cls)}
        if unknown:
            names = ", ".join(sorted(unknown))
            sys.exit(f"tortoise: the supervisor gives settings that this worker does not know: {names}")
        return cls(**given)
