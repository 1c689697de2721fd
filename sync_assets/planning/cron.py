"""When a cron expression is due: how often, and at which distances. croniter comes with dlt."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

DAY = 86_400.0
#: Seconds that are left for a run, where a sixth of the age is more.
RUN = 300.0
#: Monday, 8 January 2024, from which ticks are counted: for a week, or longer where they are few.
START, SPANS, ENOUGH = 1_704_672_000.0, (7, 56, 1_461), 150


def is_cron(text: str) -> bool:
    """Whether a text is a cron expression of at most five parts that is ever due."""
    try:
        return len(text.split()) <= 5 and bool(croniter(text, START).get_next(float))
    except (CroniterError, ValueError):
        return False


@lru_cache
def gaps(text: str) -> tuple[float, ...]:
    """The seconds between one tick and the next, over whole weeks or over four years."""
    ticks = croniter(text, START - 1)
    found = [ticks.get_next(float)]
    for days in SPANS:
        while found[-1] < found[0] + days * DAY:
            found.append(ticks.get_next(float))
        if len(found) > ENOUGH:
            break
    return tuple(after - before for before, after in pairwise(found))


def time_of_run(max_age: float) -> float:
    """The seconds between a request and the rows in the warehouse, as part of their age."""
    return min(RUN, max_age / 6)


@lru_cache
def reads_a_day(text: str, max_age: float) -> float:
    """How often a day a list is read that may get `max_age` seconds old.

    It is read at each tick, and at half of its age where the next tick would come too late.
    """
    found, latest = gaps(text), max_age - time_of_run(max_age)
    between = sum(-(-(gap - latest) // (max_age / 2)) for gap in found if gap > latest)
    return DAY * (len(found) + between) / sum(found)


def next_tick(text: str, timezone: str, now: datetime) -> datetime:
    """The next time after `now` at which a cron expression is due."""
    found: datetime = croniter(text, now.astimezone(ZoneInfo(timezone))).get_next(datetime)
    return found


@lru_cache
def longest_gap(text: str) -> float:
    """The longest time between two ticks, in seconds."""
    return max(gaps(text))
