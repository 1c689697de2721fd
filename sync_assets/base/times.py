"""The clock, and times in the forms in which APIs send them. Parsing never raises."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta, timezone
from typing import Any

#: The beginning and the end of time as Python can hold it; what lies beyond is one of them.
EVER = datetime.min.replace(tzinfo=timezone.utc)
FOREVER = datetime.max.replace(tzinfo=timezone.utc)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: Clocks of two machines differ; a time further ahead than this was written by a wrong one.
SKEW = timedelta(minutes=5)
#: Unix times count seconds, milli-, micro- or nanoseconds: the year 9999 ends at 2.54e11 seconds.
UNITS = ((2.6e11, 1.0), (2.6e14, 1e3), (2.6e17, 1e6), (2.6e20, 1e9))
LONGEST = 100
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
ISO = re.compile(
    r"(?P<year>[+-]?[0-9]{4,})-?(?P<month>[0-9]{2})-?(?P<day>[0-9]{2})"
    r"(?P<time>[Tt ]+(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(:?(?P<second>[0-9]{2})"
    r"([.,](?P<fraction>[0-9]+))?)?\s*"
    r"(?P<zone>[Zz]|UTC|GMT|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)?)?"
)


def now() -> datetime:
    """Return the time in UTC. All code asks here, so that a test may move the clock."""
    return datetime.now(timezone.utc)


def parse_time(value: Any) -> datetime | None:
    """Return the time that a value stands for, in UTC, or None if it is not a time.

    Accepts ISO 8601 and its common variants (UTC if there is no zone), unix times in seconds to
    nanoseconds as numbers or text, and objects that hold one of these under `unix`, `iso` or
    `date`. Years after 9999 are `FOREVER`. Zero, 0000-00-00 and dates that do not exist are None.
    """
    if isinstance(value, datetime):
        away = value.utcoffset() or timedelta()
        return shifted(value.replace(tzinfo=timezone.utc), -away)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _of_number(value)
    if isinstance(value, dict):
        found = (parse_time(value.get(name)) for name in ("unix", "iso", "date"))
        return next((one for one in found if one is not None), None)
    return _of_text(value.strip()) if isinstance(value, str) else None


def is_day(value: Any) -> bool:
    """Whether a value is a day without a time."""
    found = ISO.fullmatch(value.strip()[:LONGEST]) if isinstance(value, str) else None
    return found is not None and not found["time"] and parse_time(value) is not None


def shifted(when: datetime, by: timedelta) -> datetime:
    """Add a duration to a time; the result is limited to the range of `datetime`."""
    try:
        return when + by
    except OverflowError:
        return FOREVER if by > timedelta() else EVER


def known(when: datetime | None, at: datetime) -> datetime:
    """Return a recorded time; `EVER` if there is none or it is later than `at`, a wrong clock."""
    return EVER if when is None or when > shifted(at, SKEW) else when


def _of_number(value: float) -> datetime | None:
    if value == 0 or value != value:
        return None
    for most, unit in UNITS:
        if abs(value) < most:
            return shifted(EPOCH, timedelta(seconds=value / unit))
    return FOREVER if value > 0 else EVER


def _of_text(text: str) -> datetime | None:
    if len(text) > LONGEST and not text.startswith("{"):
        return None
    if text.startswith("{"):
        try:
            return parse_time(json.loads(text))
        except (ValueError, RecursionError):
            return None
    found = ISO.fullmatch(text)
    if found is not None and (len(text) == len("YYYYMMDD") or not NUMBER.fullmatch(text)):
        return _of_iso(found)
    return _of_number(float(text)) if NUMBER.fullmatch(text) else None


def _of_iso(found: re.Match[str]) -> datetime | None:
    year = int(found["year"])
    if year > datetime.max.year:
        return FOREVER
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 24 or minute > 59 or second > 60:
        return None
    fraction = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    away = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    of_day = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=fraction)
    try:
        day = datetime(year, int(found["month"]), int(found["day"]), tzinfo=timezone.utc)
    except ValueError:  # a month or a day that no calendar knows, the year 0 and those before it
        return None
    return shifted(day, of_day + away if found["sign"] == "-" else of_day - away)
