"""A class of the session that uses a shared object."""

import sys
from typing import Any

from Big.Model import Model
from tortoise_worker import SharedError, shared


class Service:
    def predict(self, values: list[float]) -> list[bool]:
        return shared("model", "Big_Model", 1.5).predict(values)

    def threshold(self) -> float:
        return shared("model", Model, 3.5).threshold

    def give(self, value: Any) -> str:
        try:
            return shared("model", "Big_Model").shown(value)
        except TypeError as error:
            return f"{type(error).__name__}: {error}"

    def give_on(self, value: Any) -> Any:
        return shared("model", "Big_Model").echo(value)

    def kinds(self) -> str:
        value = (1, {2}, {3: 4}, b"x", 2**70)
        return repr(shared("model", "Big_Model").echo(value))

    def fail(self) -> str:
        try:
            shared("model", "Big_Model").fail_oddly()
        except SharedError as error:
            return f"{error.class_name}: {error}"
        return "?"

    def modules(self) -> bool:
        return "Big.Model" in sys.modules
