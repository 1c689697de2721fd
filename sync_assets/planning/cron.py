"""When a cron expression is due: how often, and at which distances. croniter comes with dlt."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from croniter import CroniterError, croniter

DAY = 86_400.0
#: Monday, 1 January 2024, from which ticks are counted: for four years, or so many.
START, SPAN, MOST = 1_704_067_200.0, 1_461 * DAY, 1_500


def is_cron(text: str) -> bool:
    """Whether a text is a cron expression of at most five parts that is ever due."""
    try:
        return len(text.split()) <= 5 and bool(croniter(text, START).get_next(float))
    except (CroniterError, ValueError):
        return False


@lru_cache
def gaps(text: str) -> tuple[float, ...]:
    """The seconds between one tick and the next, over four years or the first 1,500 ticks."""
    ticks, found = croniter(text, START), [START]
    while len(found) <= MOST and found[-1] < START + SPAN:
        found.append(ticks.get_next(float))
    return tuple(after - before for before, after in pairwise(found[1:]))


def reads_a_day(text: str, max_age: float) -> float:
    """How often a day a list is read that is due at each tick, and once it is `max_age` old.

    `max_age` is in seconds.
    """
    found = gaps(text)
    return DAY * sum(-(-gap // max_age) for gap in found) / sum(found)
