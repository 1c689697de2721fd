"""How eagerly a source is kept fresh: ordinary dlt configuration under `AUTOMATION__*`.

`AUTOMATION__<SOURCE>__<NAME>` is for one source, `AUTOMATION__<NAME>` for all.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.base.config import Must, above, at_least, resolve
from sync_assets.planning.cron import is_cron
from sync_assets.sources.rest.api import Api

TEN_YEARS = 87_600  # hours
#: The part of the age of a proof after which the next one begins: 24 of 26 hours.
SWEPT_AFTER = 12 / 13


def _is_time_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (
        KeyError,
        OSError,
        ValueError,
    ):  # unknown, a folder, not a name
        return False


TIME_ZONE = Must("an IANA time zone such as Europe/Berlin", _is_time_zone)
CRON = Must('a cron expression of five parts such as "0 * * * *"', is_cron)
AGE = above(0, TEN_YEARS)
MINUTES = above(0, TEN_YEARS * 60)
COUNT = at_least(1)
OWNERS = Must(
    "team:<name> or email addresses, with white space between",
    lambda text: all(map(re.compile(r"team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch, text.split())),
)


@configspec
class AutomationSettings(BaseConfiguration):
    """How fresh lists must be, when they are synced, and how much one tick may request."""

    enabled: bool = True
    """false: sensors and schedules are off until they are switched on in the UI."""
    timezone: Annotated[str, TIME_ZONE] = "UTC"
    """The time zone of the schedules."""
    tables_schedule: Annotated[str, CRON] = "*/30 * * * *"
    """When tables are synced that are due."""
    partitions_schedule: Annotated[str, CRON] = "15,45 * * * *"
    """When live partitions are synced that are due."""
    tables_max_age: Annotated[float, AGE] = 1.0
    """Hours; a table that was last read longer ago is stale."""
    partitions_max_age: Annotated[float, AGE] = 1.0
    """Hours; a live partition that was last read longer ago is stale."""
    proven_max_age: Annotated[float, AGE] = 26.0
    """Hours; a live list that was last read to its end longer ago is not proven any more."""
    ended_max_age: Annotated[float, at_least(0, TEN_YEARS)] = 720.0
    """Hours; an ended partition is read again before it is older. 0: never."""
    sensor_interval: Annotated[int, COUNT] = 30
    """Seconds between ticks of the freshness sensor."""
    keys_per_tick: Annotated[int, COUNT] = 500
    """Partition keys that one tick may request."""
    runs_per_tick: Annotated[int, COUNT] = 5
    """Runs that one tick may request."""
    retry_after: Annotated[float, MINUTES] = 2.0
    """Minutes until a failed list is requested again; each further failure doubles them."""
    retry_at_most: Annotated[float, MINUTES] = 360.0
    """Minutes; the longest such pause."""
    row_drop: Annotated[float, at_least(0, 1)] = 0.5
    """The share of its rows that a list may lose in one sync before `row_count` warns."""
    owners: Annotated[str, OWNERS] = "team:data"
    """Who is shown as owner of the assets: teams as `team:<name>`, people by their email."""

    def max_age(self, *, partitioned: bool) -> timedelta:
        """How old a list may be."""
        return timedelta(hours=self.partitions_max_age if partitioned else self.tables_max_age)

    def schedule(self, *, partitioned: bool) -> str:
        """The cron expression at which a list is synced."""
        return self.partitions_schedule if partitioned else self.tables_schedule

    def proven_age(self, *, partitioned: bool) -> timedelta:
        """How long ago a list may have been read to its end; no less than it may be old."""
        proven = timedelta(hours=self.proven_max_age)
        return max(proven, self.max_age(partitioned=partitioned))

    def sweep_age(self, *, partitioned: bool) -> timedelta:
        """Return the time between two sweeps of a list that is read by heads.

        The rest of the age of a proof is left to the sweep itself, which may take hours.
        """
        proven, max_age = (age(partitioned=partitioned) for age in (self.proven_age, self.max_age))
        return min(proven - max_age, proven * SWEPT_AFTER)

    @property
    def ended_age(self) -> timedelta:
        """How old what is over may be; 0 hours stand for any age."""
        return timedelta(hours=self.ended_max_age or 100 * TEN_YEARS)

    def pause(self, attempts: int) -> timedelta:
        """How long a list that failed is left alone: twice as long after each attempt."""
        if not attempts:
            return timedelta()
        minutes = self.retry_after * 2 ** min(attempts - 1, 30)
        return timedelta(minutes=min(minutes, self.retry_at_most))


def automation(api: Api | None = None) -> AutomationSettings:
    """The settings of a source, or of none; `ConfigurationError` where one is wrong."""
    general = resolve(AutomationSettings(), ["automation"], {})
    return resolve(general, ["automation", api.name], {}) if api else general
