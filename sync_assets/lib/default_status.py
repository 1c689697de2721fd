"""Whether sensors and schedules run before anybody switches them on: `AUTOMATION__ENABLED`."""

from __future__ import annotations

import dagster as dg

from sync_assets.planning.settings import AutomationSettings


def sensor_status(settings: AutomationSettings) -> dg.DefaultSensorStatus:
    """Whether the sensors of a source run by default."""
    on, off = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    return on if settings.enabled else off


def schedule_status(settings: AutomationSettings) -> dg.DefaultScheduleStatus:
    """Whether the schedules of a source run by default."""
    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    return on if settings.enabled else off
