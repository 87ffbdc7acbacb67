"""Points and spans of time as what a clock shows: read and made here for the native part."""

import re
import sys
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

NAME = re.compile(r"[!-~]{1,128}")
"""A name that the wire takes."""

Clock = tuple[int, int, int, int, int, int, int, int | None, str]
"""Year, month, day, hour, minute, second, microsecond; seconds east of UTC or None; the zone's name or ''."""


def shown(moment: datetime) -> Clock | None:
    """What a clock shows; None if its offset is not of whole seconds, or cannot be told."""
    offset, name = None, ""
    if moment.tzinfo is not None:
        try:
            delta = moment.utcoffset()
        except Exception:
            return None
        if delta is not None:
            if delta.microseconds:
                return None
            offset = delta.days * 86400 + delta.seconds
            name = _name(moment.tzinfo)
    return (
        *(moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second),
        *(moment.microsecond, offset, name),
    )


def _name(zone: tzinfo) -> str:
    """The name of a zone of the time zone database; pytz keeps it where zoneinfo does not."""
    if type(zone) is timezone:
        return "UTC" if zone is UTC else ""
    name = (
        zone.key if type(zone) is ZoneInfo else getattr(zone, "zone", None) if "pytz" in sys.modules else None
    )
    # A zone from a file may have any name.
    return name if type(name) is str and NAME.fullmatch(name) else ""


def made(
    year: int,
    month: int,
    day: int,
    hour: int,
    minute: int,
    second: int,
    microsecond: int,
    offset: int | None,
    name: str,
) -> datetime:
    """The moment that a clock shows, in the zone of that name if it is known and has that offset then."""
    moment = datetime(year, month, day, hour, minute, second, microsecond)
    if offset is None:
        return moment
    delta = timedelta(seconds=offset)
    if name == "UTC" and offset == 0:
        return moment.replace(tzinfo=UTC)
    if name:
        try:
            zone = ZoneInfo(name)
        except Exception:
            zone = None
        # Where clocks are set back the same time comes twice; where they are set forward one is never shown.
        for fold in (0, 1) if zone else ():
            there = moment.replace(tzinfo=zone, fold=fold)
            if there.utcoffset() == delta:
                return there
    return moment.replace(tzinfo=timezone(delta) if offset else UTC)


def length(span: timedelta) -> tuple[int, int]:
    """Whole seconds, rounded down, and microseconds."""
    return span.days * 86400 + span.seconds, span.microseconds


def span(seconds: int, microseconds: int) -> timedelta:
    """The span of so many seconds and microseconds. Raises `OverflowError` if it is too long."""
    return timedelta(days=seconds // 86400, seconds=seconds % 86400, microseconds=microseconds)
