"""Builds everything that Dagster runs for one API."""

from __future__ import annotations

import dagster as dg

from sync_assets.lib.assets.definitions import build_partition_assets, build_table_assets
from sync_assets.lib.automation.freshness_sensor import build_freshness_sensor
from sync_assets.lib.automation.jobs import Job, build_sync_job, build_tables_job
from sync_assets.lib.automation.partition_sensor import build_partition_sensor
from sync_assets.lib.automation.schedules import build_partitions_schedule, build_tables_schedule
from sync_assets.lib.checks.definitions import build_checks
from sync_assets.lib.instance.executor import backfill_policy
from sync_assets.lib.prune_job import build_prune_job
from sync_assets.planning.settings import automation
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.machines import execution


def build_api_definitions(api: Api) -> dg.Definitions:
    """Build the assets, checks, jobs, sensors and schedules of an API."""
    settings, executed = automation(api), execution()
    longest = executed.partitions_per_run
    tables = build_table_assets(api, settings)
    assets = [tables]
    checks = [build_checks(api, api.unpartitioned(), api.name, settings)]
    sensors = []
    hourly = build_tables_job(api, tables)
    jobs: list[Job] = [hourly]
    schedules = [build_tables_schedule(api, hourly, settings)]
    for parent in api.parents:
        children = build_partition_assets(api, parent, settings, backfill_policy(executed))
        assets.append(children)
        names = api.children(parent.resource)
        checks.append(build_checks(api, names, children.op.name, settings))
        job = build_sync_job(api, parent)
        jobs.append(job)
        sensors.append(build_partition_sensor(api, parent, job, settings, longest))
        schedules.append(build_partitions_schedule(api, parent, job, settings, longest))
    sensors.append(build_freshness_sensor(api, jobs, settings, longest))
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        sensors=sensors,
        schedules=schedules,
        jobs=[*jobs, *([build_prune_job(api)] if api.has_children() else [])],
    )
