"""Decides whether the planned reads fit the quota and keep lists young enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from sync_assets.planning.duration import NOTHING, Pace, Reading
from sync_assets.planning.timing import HOUR, Timing

DAY = 86_400.0


@dataclass(frozen=True)
class Load:
    """One read of all tables, and one of all partitions that may still change.

    `ended` is the number of requests a day for all ended partitions.
    """

    tables: Reading = NOTHING
    partitions: Reading = NOTHING
    ended: float = 0.0


@dataclass(frozen=True)
class Fit:
    """What a plan costs.

    `requests` and `allowed` are per day (infinite without a quota). The seconds are those of one
    read of all tables or all live partitions. The ages, in hours, are reached just before the next
    read is loaded; None if there are no such lists.
    """

    tables: Timing
    partitions: Timing
    requests: float
    allowed: float
    tables_seconds: float
    partitions_seconds: float
    tables_age: float | None
    partitions_age: float | None

    @property
    def share(self) -> float:
        """The share of the quota that is used."""
        return self.requests / self.allowed

    @property
    def problems(self) -> list[str]:
        """Why the plan does not fit; empty if it does."""
        return list(self._problems())

    def _problems(self) -> Iterator[str]:
        if self.share > 1:
            yield (
                f"it asks for {self.requests:,.0f} requests a day, {self.share:.0%} of the "
                f"{self.allowed:,.0f} that the quota allows"
            )
            return
        for what, age, timing in (
            ("tables", self.tables_age, self.tables),
            ("live partitions", self.partitions_age, self.partitions),
        ):
            if age is not None and age > timing.max_age:
                yield f"{what} get {age:,.1f} h old, more than their {timing.max_age:g} h"


def fit(load: Load, pace: Pace, tables: Timing, partitions: Timing) -> Fit:
    """Return what a load costs if it is read at these times."""
    a_day = load.tables.requests * tables.reads_a_day
    requests = a_day + load.partitions.requests * partitions.reads_a_day + load.ended
    allowed = allowed_a_day(pace)
    tables_seconds, partitions_seconds = pace.seconds(load.tables), pace.seconds(load.partitions)
    beside = min(load.tables.requests, load.partitions.requests)
    slowed = max(tables_seconds, pace.least(load.tables.requests + beside))
    left = 1 - a_day / allowed
    least = pace.least(load.partitions.requests)
    nights = max(partitions_seconds, least / left if left > 0 else inf)
    return Fit(
        tables,
        partitions,
        requests,
        allowed,
        tables_seconds,
        partitions_seconds,
        tables.gap + slowed / HOUR if load.tables.requests else None,
        partitions.gap + nights / HOUR if load.partitions.requests else None,
    )


def allowed_a_day(pace: Pace) -> float:
    """Return the requests that the quota allows in a day, without its reserve."""
    return min((DAY * one.requests / one.seconds for one in pace.quota.ours), default=inf)
