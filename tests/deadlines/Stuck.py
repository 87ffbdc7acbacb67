"""Calls that do not come back by themselves, each in a way of its own."""

from __future__ import annotations

import asyncio
import collections
import itertools
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self


class Stuck:
    """Notes in a file, a word a line, how its calls ended."""

    def __init__(self, notes: str = "") -> None:
        self.notes = notes

    def note(self, word: str) -> None:
        if self.notes:
            with Path(self.notes).open("a") as notes:
                notes.write(f"{word}\n")

    def pid(self) -> int:
        return os.getpid()

    def echo(self, value: object) -> object:
        return value

    def me(self) -> Self:
        return self

    def call(self, function: Callable[..., Any], *arguments: object) -> object:
        return function(*arguments)

    def nap(self, seconds: float) -> str:
        time.sleep(seconds)
        return "awake"

    async def rest(self, seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        finally:
            self.note("rested")
        return "rested"

    def slow(self, seconds: float) -> SlowToEnd:
        return SlowToEnd(self, seconds)

    def spin(self) -> None:
        try:
            while True:
                pass
        finally:
            self.note("finally")

    def sleep(self) -> None:
        try:
            time.sleep(3600)
        finally:
            self.note("finally")

    def search(self) -> None:
        """A search that takes years, in C, with the interpreter's lock; it looks for signals now and then."""
        try:
            re.match("(a*)*b", "a" * 60)
        finally:
            self.note("finally")

    def compute(self) -> None:
        """Goes on for ever in C, with the interpreter's lock, and never looks for signals."""
        try:
            collections.deque(itertools.count(), maxlen=0)
        finally:
            self.note("finally")

    def swallow(self) -> None:
        while True:
            try:
                time.sleep(3600)
            except BaseException:
                self.note("swallowed")


class SlowToEnd:
    """Takes its time where it is released."""

    def __init__(self, stuck: Stuck, seconds: float) -> None:
        self._stuck = stuck
        self._seconds = seconds

    def __del__(self) -> None:
        self._stuck.note("begun")
        time.sleep(self._seconds)
        self._stuck.note("released")
