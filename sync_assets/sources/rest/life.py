"""When the rows below a parent may change: planned, live or ended, by the parent's row."""

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
    """A partition is planned, live or ended."""

    BEFORE = "before"
    LIVE = "live"
    OVER = "over"


@dataclass(frozen=True)
class Life:
    """From when until when the rows below a parent may change; None if that is open.

    `unread` names dates that could not be read, which therefore count as open.
    """

    begin: datetime | None = None
    end: datetime | None = None
    unread: tuple[str, ...] = ()

    @property
    def ended_at(self) -> datetime:
        """The end, not before the beginning; `FOREVER` if it is open."""
        return FOREVER if self.end is None else max(self.end, self.begin or self.end)

    def over_at(self, grace: timedelta) -> datetime:
        """Return when the partition counts as ended: `grace` after the end, or never."""
        return shifted(self.ended_at, grace)

    def stage(self, grace: timedelta, now: datetime) -> Stage:
        """Return the stage at a time."""
        if now > self.over_at(grace):
            return Stage.OVER
        return Stage.BEFORE if self.begin is not None and now < self.begin else Stage.LIVE


def always(row: Mapping[str, Any]) -> Life:
    """Return the life of a partition that is always live."""
    return Life()


def between(row: Mapping[str, Any], begin: str, end: str) -> Life:
    """Return the life between the dates in two columns; an end without a time includes its day."""
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
