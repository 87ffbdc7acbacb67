"""What the soak calls: everything comes back, and says what it was."""

import hashlib
import os
import time
from typing import Any


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
