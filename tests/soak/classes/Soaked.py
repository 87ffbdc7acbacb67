"""What the soak calls: everything comes back, and says what it was."""

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any

import php


class Soaked:
    def back(self, value: Any) -> Any:
        return value

    def made(self, size: int, seed: int) -> bytes:
        """Bytes that PHP can make too."""
        block = hashlib.sha256(str(seed).encode()).digest()
        return (block * (size // len(block) + 1))[:size]

    def wait(self) -> None:
        """Ends only with the session."""
        time.sleep(3600)

    def pid(self) -> int:
        return os.getpid()

    def call(self, do: Callable[..., Any], *arguments: Any) -> Any:
        return do(*arguments)

    def caught(self, do: Callable[[], Any]) -> str:
        """What a callback of PHP throws, as a text."""
        try:
            return str(do())
        except php.Exception as error:
            return f"{error.class_name}: {error}"

    def fail(self, key: str) -> None:
        raise KeyError(key)

    def counted(self, counter: Any) -> Any:
        """Uses an object of PHP in all ways that it has."""
        counter.more(1).more(by=len(counter))
        counter.n = counter.n + 1
        return counter
