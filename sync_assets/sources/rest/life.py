"""The life of what is below a parent: before, live or over, as the parent's row tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sync_assets.base.times import FOREVER, is_day, parse_time, shifted

#: Zero, 1970-01-01 and 0001-01-01 are how systems write "no date".
EARLIEST = 1971


class Stage(Enum):
    """Where a life is: it has not begun, may change, or cannot change any more."""

    BEFORE = "before"
    LIVE = "live"
    OVER = "over"


@dataclass(frozen=True)
class Life:
    """From when until when rows below a parent come and change; None where that is open.

    `unread` names what could not be read as a date, and therefore counts as open.
    """

    begin: datetime | None = None
    end: datetime | None = None
    unread: tuple[str, ...] = ()

    @property
    def ended_at(self) -> datetime:
        """The end, which is not before the beginning; `FOREVER` where it is open."""
        return FOREVER if self.end is None else max(self.end, self.begin or self.end)

    def over_at(self, grace: timedelta) -> datetime:
        """After this moment nothing changes any more: `grace` after the end, or never."""
        return shifted(self.ended_at, grace)

    def stage(self, grace: timedelta, now: datetime) -> Stage:
        """Where it is now."""
        if now > self.over_at(grace):
            return Stage.OVER
        return Stage.BEFORE if self.begin is not None and now < self.begin else Stage.LIVE


def always(row: Mapping[str, Any]) -> Life:
    """The life of what may change at any time."""
    return Life()


def between(row: Mapping[str, Any], begin: str, end: str) -> Life:
    """A life between the dates in two columns; an end that names only a day lasts through it."""
    dates = {name: _date(row.get(name)) for name in (begin, end)}
    unread = tuple(name for name, date in dates.items() if date is None and _says(row.get(name)))
    first, last = dates[begin], dates[end]
    if last is not None and is_day(row.get(end)):
        last = shifted(last, timedelta(days=1))
    return Life(first, last, unread)


def _date(value: Any) -> datetime | None:
    found = parse_time(value)
    return found if found is not None and found.year >= EARLIEST else None


def _says(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None
