"""How eagerly a source is kept fresh: ordinary dlt configuration under `AUTOMATION__*`.

`AUTOMATION__<SOURCE>__<NAME>` is for one source, `AUTOMATION__<NAME>` for all.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.settings import resolve


@configspec
class AutomationSettings(BaseConfiguration):
    """Hours, cron expressions, minutes between attempts, and a budget for each tick."""

    enabled: bool = True
    timezone: str = "UTC"
    tables_schedule: str = "0 * * * *"
    partitions_schedule: str = "0 3 * * *"
    tables_max_age: float = 2.0
    partitions_max_age: float = 26.0
    sensor_interval: int = 30
    keys_per_tick: int = 500
    runs_per_tick: int = 5
    retry_after: float = 2.0
    retry_at_most: float = 360.0
    row_drop: float = 0.5

    def max_age(self, *, partitioned: bool) -> timedelta:
        """How old a list may be."""
        return timedelta(hours=self.partitions_max_age if partitioned else self.tables_max_age)

    def pause(self, attempts: int) -> timedelta:
        """How long a list that failed is left alone: twice as long after each attempt."""
        if not attempts:
            return timedelta()
        minutes = self.retry_after * 2 ** min(attempts - 1, 30)
        return timedelta(minutes=min(minutes, self.retry_at_most))

    @property
    def sensor_status(self) -> dg.DefaultSensorStatus:
        """Whether sensors run before anybody switches them on."""
        return dg.DefaultSensorStatus.RUNNING if self.enabled else dg.DefaultSensorStatus.STOPPED

    @property
    def schedule_status(self) -> dg.DefaultScheduleStatus:
        """Whether schedules run before anybody switches them on."""
        on = dg.DefaultScheduleStatus.RUNNING
        return on if self.enabled else dg.DefaultScheduleStatus.STOPPED


def automation(api: Api) -> AutomationSettings:
    """The settings of a source; `ConfigurationError` where one is not what it should be."""
    general = resolve(AutomationSettings(), ["automation"], {})
    return resolve(general, ["automation", api.name], {})
