"""An object that leads to a module in every way there is."""

import os
import sys
import types
from typing import Any, ClassVar


class Lazy(types.ModuleType):
    """What lazy importers put in the place of a module."""

    def __getattr__(self, name: str) -> str:
        return f"lazy {name}"


class Reach:
    held: ClassVar[Any] = os

    def __init__(self) -> None:
        self.own = os

    @property
    def property(self) -> object:
        return os

    def returned(self) -> object:
        return os

    def listed(self) -> list[object]:
        return [os]

    @staticmethod
    def static() -> object:
        return os

    def aliased(self) -> object:
        return os.path

    def made(self) -> object:
        return types.ModuleType("made")

    def nameless(self) -> object:
        module = types.ModuleType("nameless")
        del module.__dict__["__name__"]
        return module

    def lazy(self) -> object:
        return Lazy("lazy")

    def mine(self) -> object:
        return sys.modules[__name__]

    def is_os(self, value: object) -> bool:
        return value is os

    def is_unchanged(self) -> bool:
        return os.sep == "/" and not hasattr(os, "extra")
