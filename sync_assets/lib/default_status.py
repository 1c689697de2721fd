"""Whether sensors and schedules run by default, according to `AUTOMATION__ENABLED`."""

from __future__ import annotations

import dagster as dg

from sync_assets.planning.settings import AutomationSettings


def sensor_status(settings: AutomationSettings) -> dg.DefaultSensorStatus:
    """Return the default status of a source's sensors."""
    on, off = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    return on if settings.enabled else off


def schedule_status(settings: AutomationSettings) -> dg.DefaultScheduleStatus:
    """Return the default status of a source's schedules."""
    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    return on if settings.enabled else off
