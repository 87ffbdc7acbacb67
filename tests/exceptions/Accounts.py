"""Raises an application's own exceptions."""

from typing import Any, NoReturn

from Held.Error import Held_Error
from Held.Group import Held_Group, Held_OddGroup


class Accounts:
    """Raises, takes and raises again."""

    def check(self, account: int) -> NoReturn:
        raise Held_Error("held", account)

    def describe(self, error: "Held_Error") -> list[Any]:
        return [type(error).__name__, str(error), error.args, error.account]

    def throw(self, error: BaseException) -> NoReturn:
        raise error  # LINE throw

    def throw_from(self, error: BaseException, cause: BaseException) -> NoReturn:
        raise error from cause

    def catch(self, error: BaseException) -> str:
        try:
            raise error
        except Held_Error as caught:
            return f"caught {caught}"

    def deep(self) -> Any:
        return [self.inner(item) for item in (1, 0)]  # LINE deep

    def inner(self, item: int) -> float:
        return outer(item)  # LINE inner

    def cause(self) -> Any:
        return self.middle()  # LINE cause

    def middle(self) -> NoReturn:
        try:
            outer(0)  # LINE middle
        except ZeroDivisionError as error:
            raise Held_Error("divided", 1) from error  # LINE raised

    @property
    def failing(self) -> Any:
        return outer(0)  # LINE failing

    def __len__(self) -> int:
        return int(outer(0))

    def endless(self) -> Any:
        return self.endless()

    def group(self) -> NoReturn:
        try:
            outer(0)
        except ZeroDivisionError as error:
            members = [Held_Error("x", 3), self.raised(), ExceptionGroup("inner", [TypeError("t")])]
            raise ExceptionGroup("several", members) from error

    def raised(self) -> Exception:
        try:
            outer(0)  # LINE member
        except ZeroDivisionError as error:
            return error
        raise AssertionError

    def own_group(self) -> NoReturn:
        raise Held_Group("mine", [Held_Error("y", 4)])

    def odd_group(self) -> NoReturn:
        raise Held_OddGroup("odd", [ValueError("v")])


def outer(item: int) -> float:
    return 1 / item  # LINE outer
