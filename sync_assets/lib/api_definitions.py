"""Everything Dagster runs for one API, from its data alone."""

from __future__ import annotations

import dagster as dg

from sync_assets.lib.assets import build_partition_assets, build_table_assets
from sync_assets.lib.checks import build_declared_check
from sync_assets.lib.schedules import build_hourly_schedule, build_nightly_schedule
from sync_assets.lib.sensors import build_first_sync_sensor, build_partition_sensor
from sync_assets.sources.rest.api import Api


def build_api_definitions(api: Api) -> dg.Definitions:
    """The assets, checks, sensors and schedules of an API."""
    tables = build_table_assets(api)
    assets = [tables]
    checks = [build_declared_check(api, api.unpartitioned(), api.name)]
    sensors = [build_first_sync_sensor(api, tables)]
    schedules = [build_hourly_schedule(api, tables)]
    for parent in api.parents:
        children = build_partition_assets(api, parent)
        assets.append(children)
        checks.append(build_declared_check(api, api.children(parent.resource), children.op.name))
        sensors.append(build_partition_sensor(api, parent, children))
        schedules.append(build_nightly_schedule(api, parent, children))
    return dg.Definitions(assets=assets, asset_checks=checks, sensors=sensors, schedules=schedules)
