"""When a cron expression is due: how often, and at which distances. croniter comes with dlt."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from croniter import CroniterError, croniter

DAY = 86_400.0
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


@lru_cache
def reads_a_day(text: str, max_age: float) -> float:
    """How often a day a list is read that is due at each tick, and once it is `max_age` old.

    `max_age` is in seconds.
    """
    found = gaps(text)
    return DAY * sum(-(-gap // max_age) for gap in found) / sum(found)


@lru_cache
def longest_gap(text: str) -> float:
    """The longest time between two ticks, in seconds."""
    return max(gaps(text))
