"""Raises whatever there is to raise."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any, NoReturn


class Raising:
    """Its methods raise; every raising line is marked with its method's name in a comment."""

    def plain(self) -> NoReturn:
        raise ValueError("plain message")  # LINE plain

    def deep(self, level: int = 3) -> Any:
        return self.plain() if level == 0 else self.deep(level - 1)

    def by_name(self, name: str, *args: Any) -> NoReturn:
        import builtins

        raise getattr(builtins, name)(*args)  # LINE by_name

    def key(self) -> Any:
        return {}["nothing here"]  # LINE key

    def index(self) -> Any:
        return [][3]

    def division(self) -> float:
        return 1 / 0

    def file(self) -> Any:
        return open("/nowhere/at/all")

    def decode(self) -> str:
        return b"\xff".decode()

    def explicit(self) -> NoReturn:
        try:
            self.key()
        except KeyError as cause:
            raise LookupError("outer") from cause  # LINE explicit

    def implicit(self) -> NoReturn:
        try:
            self.key()
        except KeyError:
            raise RuntimeError("while handling")

    def suppressed(self) -> NoReturn:
        try:
            self.key()
        except KeyError:
            raise RuntimeError("alone") from None

    def long_chain(self, length: int) -> NoReturn:
        cause: Exception | None = None
        for number in range(length):
            link = RuntimeError(f"link {number}")
            link.__cause__ = cause
            cause = link
        assert cause is not None
        raise cause

    def circle(self) -> NoReturn:
        one, other = RuntimeError("one"), RuntimeError("other")
        one.__cause__, other.__cause__ = other, one
        raise one

    def context_circle(self) -> NoReturn:
        one, other = RuntimeError("one"), RuntimeError("other")
        one.__context__, other.__context__ = other, one
        raise one

    def own_cause(self) -> NoReturn:
        error = RuntimeError("self")
        error.__cause__ = error
        raise error

    def noted(self) -> NoReturn:
        error = ValueError("with notes")
        error.add_note("look at the logs")
        raise error

    def group(self) -> NoReturn:
        raise ExceptionGroup("several", [ValueError("a"), ExceptionGroup("inner", [KeyError("b")])])

    def base_group(self) -> NoReturn:
        raise BaseExceptionGroup("severe", [KeyboardInterrupt(), ValueError("a")])

    def exit(self, code: Any = 3) -> NoReturn:
        sys.exit(code)

    def interrupt(self) -> NoReturn:
        raise KeyboardInterrupt

    def real_interrupt(self) -> NoReturn:
        import os
        import signal
        import time

        os.kill(os.getpid(), signal.SIGINT)
        while True:
            time.sleep(0.001)

    def recursion(self) -> Any:
        return self.recursion()

    def recursion_in_c(self) -> str:
        value: list[Any] = []
        for _ in range(100_000):
            value = [value]
        return repr(value)

    def stop(self) -> NoReturn:
        raise StopIteration("the value")

    def stop_in_generator(self) -> Any:
        def generator() -> Iterator[int]:
            yield next(iter([]))

        return next(generator())

    def generator_exit(self) -> NoReturn:
        raise GeneratorExit

    def cancelled(self) -> NoReturn:
        raise asyncio.CancelledError

    def memory(self) -> NoReturn:
        raise MemoryError

    def huge_allocation(self) -> Any:
        return bytearray(1 << 62)

    def not_an_exception(self) -> None:
        raise 5

    def assertion(self) -> None:
        assert 1 == 2, "not equal"

    def syntax(self) -> Any:
        import Raising_broken

        return Raising_broken

    def evaluated(self) -> Any:
        return eval("1 +")

    def executed(self) -> None:
        exec(compile("\n\nraise OSError('from a string')", "<string>", "exec"), {})

    def missing_module(self) -> Any:
        import there_is_no_such_module

        return there_is_no_such_module

    def missing_name(self) -> Any:
        return undefined_name  # noqa: F821

    def message(self, text: Any) -> NoReturn:
        raise ValueError(text)

    def long_message(self, length: int) -> NoReturn:
        raise ValueError("x" * length)

    def surrogate(self) -> NoReturn:
        raise ValueError("broken \ud800 text")

    def caught(self) -> Any:
        try:
            self.plain()
        except ValueError as error:
            return error

    def returned_class(self) -> type:
        return KeyError

    def raise_given(self, error: BaseException) -> NoReturn:
        raise error

    def raise_from_given(self, error: BaseException) -> NoReturn:
        raise RuntimeError("from the given") from error

    def is_kind(self, value: Any, name: str) -> bool:
        return type(value).__name__ == name

    def same(self, one: Any, other: Any) -> bool:
        return one is other

    def keep(self, value: Any) -> None:
        self.kept = value

    def kept_is(self, value: Any) -> bool:
        return self.kept is value

    def raise_kept(self) -> NoReturn:
        raise self.kept

    def answer(self) -> int:
        return 42

    def deep_list(self) -> Any:
        value: Any = []
        for _ in range(1000):
            value = [value]
        return value

    def vanish(self) -> None:
        import os

        os._exit(0)

    def with_destructor(self) -> "Raising_Destructor":
        return Raising_Destructor()

    @staticmethod
    def static() -> NoReturn:
        raise ValueError("static")

    @classmethod
    def of_class(cls) -> NoReturn:
        raise ValueError("class")

    def two_arguments(self) -> NoReturn:
        raise Raising_TwoArguments("first", 2)

    def broken_text(self) -> NoReturn:
        raise Raising_BrokenText("never seen")

    def text_that_exits(self) -> NoReturn:
        raise Raising_TextThatExits

    def odd_text(self) -> NoReturn:
        raise Raising_OddText

    def broken_attributes(self) -> NoReturn:
        raise Raising_BrokenAttributes("fine")

    def no_init(self) -> NoReturn:
        raise Raising_NoInit

    def local_class(self) -> NoReturn:
        class Local(ValueError):
            pass

        raise Local("from a function")

    def of_two_kinds(self) -> NoReturn:
        raise Raising_TwoKinds("both")

    def with_php_names(self) -> NoReturn:
        error = Raising_PhpNames("message of Python")
        error.code = "E42"
        error.file = "a.txt"
        error.line = -1
        error.previous = "p"
        raise error

    def base(self) -> NoReturn:
        raise Raising_Base("below BaseException")


class Raising_Error(Exception):
    """The parent of the class file's exceptions."""

    LEVEL = 7

    def level(self) -> int:
        return self.LEVEL


class Raising_TwoArguments(Raising_Error):
    """Cannot be made of its message alone."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(f"{reason} ({code})")
        self.reason = reason
        self.code = code

    def doubled(self, factor: int = 2) -> int:
        return self.code * factor


class Raising_BrokenText(Raising_Error):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Raising_TextThatExits(Raising_Error):
    def __str__(self) -> str:
        raise SystemExit(9)


class Raising_OddText(Raising_Error):
    def __str__(self) -> str:
        return 5


class Raising_BrokenAttributes(Raising_Error):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class Raising_NoInit(Raising_Error):
    def __init__(self) -> None:
        pass


class Raising_TwoKinds(Raising_Error, KeyError):
    pass


class Raising_PhpNames(Raising_Error):
    code: Any = None

    def getMessage(self) -> str:
        return "method of Python"

    def getCode(self) -> str:
        return "code of Python"


class Raising_Base(BaseException):
    pass


class Raising_Destructor:
    def __del__(self) -> None:
        raise RuntimeError("failed in its last moment")
