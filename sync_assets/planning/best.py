"""Finds the best plan that fits: the one in which tables and partitions wait the least."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf

from sync_assets.planning.duration import Pace
from sync_assets.planning.fit import Fit, Load, fit
from sync_assets.planning.timing import Timing

HOURS = (1, 2, 3, 4, 6, 8, 12)
#: Beyond an hour: once a day, every second and third day, once a week, twice and once a month.
DAYS = ("* * *", "*/2 * *", "*/3 * *", "* * 0", "1,15 * *", "1 * *")
NIGHT = 3
#: A list may be older than the time between two reads: by an hour, or by what a read takes.
SLACK = 1.25


def best_plan(load: Load, pace: Pace, tables: Timing, partitions: Timing) -> Fit | None:
    """Return the plan that fits and stretches the schedules least; None if no schedule fits.

    Each schedule stays as it is if that fits; otherwise it runs less often, never more.
    """
    table_crons = _less_often(tables, [*_hourly(0), *(f"0 0 {days}" for days in DAYS)])
    nights = (f"0 {NIGHT} {days}" for days in DAYS)
    partition_crons = _less_often(partitions, [*_hourly(30), *nights])
    best, least = None, (inf, inf)
    for table in table_crons if load.tables.requests else [tables]:
        for partition in partition_crons if load.partitions.requests else [partitions]:
            stretches = (
                tables.reads_a_day / table.reads_a_day,
                partitions.reads_a_day / partition.reads_a_day,
            )
            rank = (max(stretches), sum(stretches))
            if rank < least and (found := _with_ages(load, pace, table, partition)):
                best, least = found, rank
    return best


def advice(source: str, now: Fit, best: Fit | None) -> dict[str, str]:
    """Return the variables to set for a plan, with their values; empty if no plan fits."""
    if best is None:
        return {}
    found: dict[str, str] = {}
    changes = (("tables", now.tables, best.tables), ("partitions", now.partitions, best.partitions))
    for kind, before, after in changes:
        name = f"AUTOMATION__{source}__{kind}".upper()
        if after.cron != before.cron:
            found[f"{name}_SCHEDULE"] = after.cron
        if after.max_age != before.max_age:
            found[f"{name}_MAX_AGE"] = f"{after.max_age:g}"
    return found


def _hourly(minute: int) -> list[str]:
    return [f"{minute} */{hours} * * *" if hours > 1 else f"{minute} * * * *" for hours in HOURS]


def _less_often(now: Timing, crons: list[str]) -> list[Timing]:
    found = [Timing(cron, inf) for cron in crons]
    return [now, *(one for one in found if one.reads_a_day <= now.reads_a_day)]


def _with_ages(load: Load, pace: Pace, tables: Timing, partitions: Timing) -> Fit | None:
    """Return the plan with ages that it keeps; None if it asks for more than the quota allows."""
    first = fit(load, pace, tables, partitions)
    if first.share > 1:
        return None
    aged = [
        replace(timing, max_age=_age(timing, age))
        for timing, age in ((tables, first.tables_age), (partitions, first.partitions_age))
    ]
    found = fit(load, pace, *aged)
    return None if found.problems else found


def _age(timing: Timing, needed: float | None) -> float:
    """Return the maximum age in whole hours: the present one if it holds, else a longer one."""
    if needed is None or needed <= timing.max_age < inf:
        return timing.max_age
    takes = needed - timing.gap
    return float(ceil(timing.gap + max(1.0, SLACK * takes)))
