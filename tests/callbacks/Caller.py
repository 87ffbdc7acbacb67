"""What calls PHP back: closures, objects and functions of PHP's, from every place that Python code can stand at."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import php

HELD: list[Any] = []


class Caller:
    """Calls what it is given."""

    @staticmethod
    def hold(value: Any) -> None:
        """Keeps a value over PHP's requests."""
        HELD[:] = [value]

    def why_held(self) -> list[str]:
        return self.why(HELD[0])

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def call(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return function(*args, **named)

    def times(self, count: int, function: Callable[..., Any], *args: Any) -> int:
        for _ in range(count):
            function(*args)
        return count

    def sort(self, values: list[Any], key: Callable[[Any], Any]) -> list[Any]:
        return sorted(values, key=key)

    def mapped(self, function: Callable[[Any], Any], values: list[Any]) -> list[Any]:
        return list(map(function, values))

    def in_threads(self, function: Callable[[Any], Any], values: list[Any]) -> list[Any]:
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(function, values))

    def nest(self, depth: int, function: Callable[[Caller, int], Any]) -> Any:
        return depth if depth == 0 else function(self, depth - 1)

    def invoke(self, target: Any, method: str, *args: Any, **named: Any) -> Any:
        return getattr(target, method)(*args, **named)

    def get(self, target: Any, name: str) -> Any:
        return getattr(target, name)

    def set(self, target: Any, name: str, value: Any) -> None:
        setattr(target, name, value)

    def has(self, target: Any, name: str) -> bool:
        return hasattr(target, name)

    def delete(self, target: Any, name: str) -> None:
        delattr(target, name)

    def why(self, function: Callable[..., Any], *args: Any) -> list[str]:
        """The class and the text of what a call raises."""
        try:
            function(*args)
        except Exception as error:
            return [type(error).__name__, str(error)]
        return []

    def why_not(self, what: str, target: Any, *args: Any) -> list[str]:
        """As `why`, of one of the methods here."""
        return self.why(getattr(self, what), target, *args)

    def is_same(self, one: Any, other: Any) -> bool:
        return one is other

    def is_callable(self, value: Any) -> bool:
        return callable(value)

    def echo(self, value: Any) -> Any:
        return value

    def keep(self, value: Any) -> None:
        self.kept.append(value)

    def take(self) -> Any:
        return self.kept.pop()

    def forget(self) -> None:
        self.kept.clear()
        gc.collect()

    def length(self, value: Any) -> int:
        return len(value)

    def text(self, value: Any) -> str:
        return str(value)

    def item(self, value: Any, key: Any) -> Any:
        return value[key]

    def set_item(self, value: Any, key: Any, item: Any) -> None:
        value[key] = item

    def has_item(self, value: Any, key: Any) -> bool:
        return key in value

    def delete_item(self, value: Any, key: Any) -> None:
        del value[key]

    def elements(self, value: Any) -> list[Any]:
        return list(value)

    def pairs(self, value: Any) -> list[Any]:
        return [[key, item] for key, item in php.items(value)]

    def first(self, value: Any, count: int) -> list[Any]:
        iterator = iter(value)
        return [next(iterator) for _ in range(count)]

    def truth(self, value: Any) -> bool:
        return bool(value)

    def class_names(self, value: Any) -> list[str]:
        return [base.__name__ for base in type(value).__mro__]

    def function(self, name: str, *args: Any) -> Any:
        return php.function(name)(*args)

    def generated(self, function: Callable[[int], Any], count: int) -> Iterator[Any]:
        for number in range(count):
            yield function(number)

    def finally_calls(self, function: Callable[[str], Any]) -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            function("finally")

    def catch(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """What Python sees of an exception that PHP throws."""
        try:
            function(*args)
        except php.Exception as error:
            return [error.class_name, error.message, error.code, error.line > 0, type(error).__name__]
        return []

    def catch_object(self, function: Callable[..., Any]) -> Any:
        try:
            function()
        except php.Exception as error:
            return error.object
        return None

    def wrap(self, function: Callable[..., Any]) -> None:
        try:
            function()
        except php.Exception as error:
            raise ValueError("wrapped") from error

    def swallow(self, function: Callable[..., Any], result: Any) -> Any:
        try:
            return function()
        except Exception:
            return result

    def cleanup(self, function: Callable[..., Any], path: str) -> Any:
        """Writes a file in its `finally`."""
        try:
            return function()
        finally:
            with open(path, "a", encoding="utf-8") as file:
                file.write("cleaned up\n")

    def refuse(self, why: str) -> None:
        raise KeyError(why)

    def start(self, function: Callable[[], Any]) -> None:
        """Calls back from a thread that goes on after this call."""
        self.outcome: list[str] = []
        self.go = threading.Event()

        def late() -> None:
            self.go.wait()
            self.outcome.extend(self.why(function) or ["called"])

        self.thread = threading.Thread(target=late)
        self.thread.start()

    def finish(self) -> list[str]:
        self.go.set()
        self.thread.join()
        return self.outcome

    def __getattr__(self, name: str) -> Any:
        if name.startswith("asks_"):
            return self.kept[-1](name)
        raise AttributeError(name)
