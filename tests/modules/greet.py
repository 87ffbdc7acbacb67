"""A script: functions that PHP calls by its name."""

import os
from os.path import join

imports = globals().get("imports", 0) + 1
answer = 42


def hello(name: str = "world", *, times: int = 1) -> str:
    return "hello " * times + name


def given(*args: object, **kwargs: object) -> str:
    return f"{args} {kwargs}"


def _private() -> str:
    return "private"


def fail() -> None:
    raise KeyError("greet")


def module() -> object:
    return os


def is_os(value: object) -> bool:
    return value is os


class Greeter:
    def __init__(self, name: str) -> None:
        self.name = name


__all__ = ["Greeter", "answer", "fail", "given", "hello", "imports", "is_os", "join", "module"]
