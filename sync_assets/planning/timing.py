"""How often lists are read: by a schedule, and by the freshness sensor when they are too old."""

from __future__ import annotations

from dataclasses import dataclass

from sync_assets.planning.cron import longest_gap, reads_a_day
from sync_assets.planning.settings import AutomationSettings

HOUR = 3_600.0


@dataclass(frozen=True)
class Timing:
    """A cron expression, and the age in hours at which the sensor no longer waits for it."""

    cron: str
    max_age: float

    @property
    def reads_a_day(self) -> float:
        """How often a list is read in a day."""
        return reads_a_day(self.cron, self.max_age * HOUR)

    @property
    def gap(self) -> float:
        """The longest time between the starts of two reads, in hours."""
        return min(longest_gap(self.cron) / HOUR, self.max_age)


def timings(settings: AutomationSettings) -> tuple[Timing, Timing]:
    """Return when tables are read, and when partitions that may still change are read."""
    return (
        Timing(settings.tables_schedule, settings.tables_max_age),
        Timing(settings.partitions_schedule, settings.partitions_max_age),
    )
