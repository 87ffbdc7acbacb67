"""Python code that ends its process, hangs, or does not let go."""

import ctypes
import os
import signal
import sys
import threading


class Fault_Process:
    """Does to its session what no class should."""

    def __init__(self, leave: bool = False) -> None:
        if leave:
            os._exit(3)
        self.value = 1

    def pid(self) -> int:
        """The process of the session."""
        return os.getpid()

    def echo(self, value: object) -> object:
        """Gives the value back."""
        return value

    def announce_and_wait(self, fifo: str) -> str:
        """Tells that it runs, then waits for whoever opens the pipe."""
        with open(fifo + ".begun", "w") as begun:
            begun.write("begun")
        with open(fifo) as pipe:
            return pipe.read()

    def exit(self) -> None:
        """Leaves without a word."""
        os._exit(7)

    def abort(self) -> None:
        """SIGABRT."""
        os.abort()

    def segfault(self) -> None:
        """Reads what is not there."""
        ctypes.string_at(8)

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(os.getpid(), signal.SIGKILL)

    def exit_later(self) -> None:
        """Leaves behind this call, from another thread, as soon as the answer is out."""
        # The answer is sent when the session's own thread waits for the next call, without the interpreter's lock.
        threading.Thread(target=lambda: os._exit(7)).start()

    def system_exit(self) -> None:
        """What `sys.exit` does is no more than an exception."""
        sys.exit(4)

    def interrupt(self) -> None:
        """So is a Ctrl-C."""
        raise KeyboardInterrupt

    def large(self, megabytes: int) -> bytes:
        """An answer that does not fit the socket's buffer."""
        return b"x" * (megabytes << 20)

    def close_descriptors(self) -> str:
        """Closes everything, as a daemon would."""
        os.closerange(3, 1 << 16)
        return "closed"
