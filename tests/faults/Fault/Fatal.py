"""An object whose end is its session's."""

import os


class Fault_Fatal:
    """Dies when it is released, and takes the session along."""

    def __del__(self) -> None:
        os._exit(5)
