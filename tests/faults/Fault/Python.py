"""Python code that is wrong in ways that the bridge must survive."""

import ctypes
import gc
import locale
import os
import signal
import socket
import sys
import threading
from typing import Any


class Fault_Python:
    """Each method is one fault."""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def ok(self) -> str:
        """Shows that the session lives."""
        return "ok"

    def raise_broken(self, kind: str) -> None:
        """Raises an exception that cannot be shown as others can."""
        raise {
            "str": BrokenStr,
            "repr": BrokenRepr,
            "two": TwoArguments,
            "endless": EndlessStr,
            "surrogate": Surrogate,
            "huge": Huge,
            "noname": make_nameless(),
        }[kind](1, 2)

    def raise_chain_in_a_circle(self) -> None:
        """Raises an exception that is its own cause."""
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first

    def raise_long_chain(self) -> None:
        """Raises an exception with a thousand causes."""
        error: BaseException = ValueError("0")
        for number in range(1000):
            next_error = ValueError(str(number))
            next_error.__cause__ = error
            error = next_error
        raise error

    def raise_group(self) -> None:
        """Raises several at once."""
        raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])

    def raise_base(self) -> None:
        """Raises what is no Exception."""
        raise GeneratorExit("odd")

    def recurse(self) -> Any:
        """Recurses without end."""
        return self.recurse()

    def recurse_in_c(self) -> Any:
        """Recurses without end through C code."""
        return repr(RecursiveRepr())

    def recursive_object(self) -> Any:
        """Gives an object that recurses when it is looked at."""
        return RecursiveAttributes()

    def cyclic(self) -> Any:
        """Gives a list that contains itself."""
        cycle: list[Any] = [1]
        cycle.append(cycle)
        return cycle

    def deep(self, depth: int) -> Any:
        """Gives a list that is nested so deep."""
        value: Any = []
        for _ in range(depth):
            value = [value]
        return value

    def change_the_process(self) -> list[Any]:
        """Changes what all code of a process shares."""
        os.chdir("/tmp")
        os.umask(0o777)
        locale.setlocale(locale.LC_ALL, "C")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE):
            signal.signal(number, lambda *_: None)
        socket.setdefaulttimeout(0.01)
        sys.setrecursionlimit(500)
        sys.setswitchinterval(0.0001)
        threading.stack_size(64 << 10)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        gc.set_threshold(1)
        os.environ.clear()
        sys.path[:] = []
        sys.modules.pop("json", None)
        sys.stdout = sys.stderr = None  # type: ignore[assignment]
        return [os.getcwd(), socket.getdefaulttimeout()]

    def stop_timer(self) -> None:
        """Ends the signals."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def leave_threads(self, count: int) -> int:
        """Leaves threads behind that never end."""
        for number in range(count):
            threading.Thread(target=threading.Event().wait, daemon=number % 2 == 0).start()
        return threading.active_count()

    def busy_thread(self) -> None:
        """Leaves a thread that wants the interpreter all the time."""

        def spin() -> None:
            while True:
                pass

        threading.Thread(target=spin).start()

    def pid(self) -> int:
        """The process of the session."""
        return os.getpid()

    def exhaust_memory(self) -> Any:
        """Asks for more than there is."""
        return bytearray(1 << 60)

    def raise_in_thread(self) -> None:
        """An exception that nobody catches, in another thread."""
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    def pending_async_exception(self) -> None:
        """An exception that comes out of nowhere, at any later instruction."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), ctypes.py_object(ValueError))

    def exit_hooks(self, log: str) -> None:
        """Registers what runs at the end of the session."""
        import atexit

        def write() -> None:
            with open(log, "a") as file:
                file.write("at exit\n")

        atexit.register(write)


class BrokenStr(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class BrokenRepr(Exception):
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class TwoArguments(Exception):
    def __init__(self, one: int, two: int) -> None:
        self.one, self.two = one, two


class EndlessStr(Exception):
    def __str__(self) -> str:
        return str(self)


class Surrogate(Exception):
    def __str__(self) -> str:
        return "half \ud800 pair"


class Huge(Exception):
    def __str__(self) -> str:
        return "x" * (8 << 20)


def make_nameless() -> type[Exception]:
    """An exception class whose name is no identifier."""
    return type("a b\n?>", (Exception,), {"__module__": "no module"})


class RecursiveRepr:
    def __repr__(self) -> str:
        return f"<{self!r}>"


class RecursiveAttributes:
    def __getattr__(self, name: str) -> Any:
        return getattr(self, name + "_")

    def __str__(self) -> str:
        return str(self)

    def __del__(self) -> None:
        raise RuntimeError("nobody sees this but the log")
