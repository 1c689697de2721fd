"""Reads how long a response asks to wait, from any of the usual headers, by the server's clock.

Services give seconds, a date, or a time in Unix seconds or milliseconds. Anything else in these
headers is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime

from sync_assets.base import times

RESETS = ("X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset", "X-RateLimit-Reset-After")
REMAINING = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining")
#: Numbers above it are moments: as seconds it is 31 years, as a moment the year 2001.
A_MOMENT = 1e9
_NUMBER = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?)\s*s?", re.I | re.A
)
_PARAMETER = re.compile(r"(?:^|[;,\s])(?:t|reset)\s*=\s*(\d+(?:\.\d+)?)", re.I | re.A)


def asked_wait(headers: Mapping[str, str], status: int) -> float | None:
    """Return the seconds that a response asks to wait, maybe infinite; None if it does not ask.

    `Retry-After` takes precedence. The reset of a quota counts only if the quota is used up.
    """
    now = clock(headers)
    asked = first(headers, "Retry-After", now)
    if asked is not None:
        return max(0.0, asked)
    remaining = [number for name in REMAINING for number in numbers(headers.get(name, ""))]
    if min(remaining, default=0.0 if status == 429 else 1.0) > 0:
        return None
    resets = [asked for name in RESETS if (asked := first(headers, name, now)) is not None]
    resets += [float(found) for found in _PARAMETER.findall(headers.get("RateLimit", ""))]
    return next((asked for asked in resets if asked >= 0), None)


def clock(headers: Mapping[str, str]) -> float:
    """Return Unix seconds by the server's clock, or by ours if the response has no date."""
    date = _date(headers.get("Date", ""))
    return times.now().timestamp() if date is None else date


def first(headers: Mapping[str, str], name: str, now: float) -> float | None:
    """Return the seconds from now that a header names; the longest if it came more than once."""
    text = headers.get(name, "").strip()
    if found := numbers(text):
        return max(_seconds(number, now) for number in found)
    moment = _date(text)
    return None if moment is None else moment - now


def numbers(text: str) -> list[float]:
    """Return the numbers in a header; commas separate them."""
    found = (_NUMBER.fullmatch(part.strip()) for part in text.split(","))
    return [float(match[1]) for match in found if match]


def _seconds(number: float, now: float) -> float:
    """Convert a number to seconds from now: it may be Unix seconds or milliseconds."""
    for moment in (number, number / 1_000):
        if number >= A_MOMENT and abs(moment - now) < A_MOMENT / 10:
            return moment - now
    return number


def _date(text: str) -> float | None:
    """Parse an HTTP date in any of its forms, or an ISO 8601 date, to Unix seconds."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        parsed = times.parse_time(text)
        return None if parsed is None else parsed.timestamp()
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
