"""How long an answer asks to be left alone, in whichever header and by the server's own clock.

Services say it as seconds, as a date, or as a moment in unix seconds or milliseconds; whatever
else a header holds is no word of theirs.
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
    """Seconds that an answer asks to wait, 0 or more and possibly infinite; None without a word.

    `Retry-After` goes first. The reset of a quota counts where the quota is what is used up.
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
    """Unix seconds by the server's clock, by ours where it does not tell."""
    told = _date(headers.get("Date", ""))
    return times.now().timestamp() if told is None else told


def first(headers: Mapping[str, str], name: str, now: float) -> float | None:
    """Seconds from now that a header names; the longest where it came more than once."""
    text = headers.get(name, "").strip()
    if found := numbers(text):
        return max(_seconds(number, now) for number in found)
    moment = _date(text)
    return None if moment is None else moment - now


def numbers(text: str) -> list[float]:
    """The numbers that a header holds, with commas between."""
    found = (_NUMBER.fullmatch(part.strip()) for part in text.split(","))
    return [float(match[1]) for match in found if match]


def _seconds(number: float, now: float) -> float:
    """A number as seconds from now, which it is, or a moment in unix seconds or milliseconds."""
    for moment in (number, number / 1_000):
        if number >= A_MOMENT and abs(moment - now) < A_MOMENT / 10:
            return moment - now
    return number


def _date(text: str) -> float | None:
    """The moment of an HTTP date in each of its forms, or of an ISO 8601 one, as unix seconds."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        parsed = times.parse_time(text)
        return None if parsed is None else parsed.timestamp()
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
