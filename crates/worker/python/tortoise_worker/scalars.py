"""What makes single values of the standard library of PHP's: see `parameters`."""

import enum
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any
from uuid import UUID

from tortoise_worker.misfit import MisfitError


def _bytes(value: Any) -> object:
    if type(value) is bytes:
        return value
    if type(value) is str:
        return value.encode()
    raise MisfitError("bytes", value)


def _datetime(value: Any) -> object:
    if type(value) is datetime:
        return value
    return _parsed("datetime", datetime.fromisoformat, value)


def _date(value: Any) -> object:
    if type(value) is datetime:
        return value.date()
    return _parsed("date", date.fromisoformat, value)


def _time(value: Any) -> object:
    if type(value) is datetime:
        return value.timetz()
    return _parsed("time", time.fromisoformat, value)


def _timedelta(value: Any) -> object:
    if type(value) is timedelta:
        return value
    if type(value) not in (int, float):
        raise MisfitError("timedelta, or a number of seconds", value)
    try:
        return timedelta(seconds=value)
    except (ValueError, OverflowError) as error:
        raise MisfitError("timedelta, or a number of seconds", value, str(error)) from None


def _decimal(value: Any) -> object:
    if type(value) not in (int, float, str):
        raise MisfitError("Decimal", value)
    try:
        return Decimal(repr(value) if type(value) is float else value)
    except (InvalidOperation, ValueError):
        raise MisfitError("Decimal", value) from None


def _uuid(value: Any) -> object:
    return _parsed("UUID", UUID, value)


def _parsed(expected: str, parse: Callable[[str], object], value: Any) -> object:
    if type(value) is not str:
        raise MisfitError(f"{expected}, or a string of one", value)
    try:
        return parse(value)
    except ValueError as error:
        raise MisfitError(f"{expected}, or a string of one", value, str(error)) from None


SCALARS: dict[type, Callable[[Any], object]] = {
    bytes: _bytes,
    datetime: _datetime,
    date: _date,
    time: _time,
    timedelta: _timedelta,
    Decimal: _decimal,
    UUID: _uuid,
}


def path(kind: type) -> Callable[[Any], object] | None:
    """What makes paths of that class; None if it is no class of paths."""
    if not issubclass(kind, PurePath):
        return None

    def adapt(value: Any) -> object:
        if type(value) is not str:
            raise MisfitError(f"{kind.__qualname__}, or a string of one", value)
        return kind(value)

    return adapt


def enum_member(kind: type[enum.Enum]) -> Callable[[Any], object]:
    """What gives the member of a value, else of a name."""

    def adapt(value: Any) -> object:
        try:
            member = kind(value)
        except (ValueError, TypeError):
            pass
        else:
            if not _has_lost_bits(member, value):
                return member
        if type(value) is str and value in kind.__members__:
            return kind.__members__[value]
        names = ", ".join(list(kind.__members__)[:10])
        raise MisfitError(f"a value or name of {kind.__qualname__} ({names})", value)

    return adapt


def _has_lost_bits(member: object, value: object) -> bool:
    """Whether a flag lacks bits of its value: by default Python refuses them, but 3.11.2 drops them."""
    return isinstance(member, enum.Flag) and type(value) is int and 0 <= value != member.value
