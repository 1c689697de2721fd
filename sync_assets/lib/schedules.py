"""Schedules: tables by the hour, live partitions by the night."""

from __future__ import annotations

import dagster as dg

from sync_assets.lib.keys import range_tags
from sync_assets.sources.rest.api import Api, Parent

HOURLY = "0 * * * *"
NIGHTLY = "0 3 * * *"


def build_hourly_schedule(api: Api, tables: dg.AssetsDefinition) -> dg.ScheduleDefinition:
    """Syncs parents and every other unpartitioned table."""
    return dg.ScheduleDefinition(
        name=f"{api.name}_hourly",
        target=tables,
        cron_schedule=HOURLY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Syncs the {api.name} tables that are one list.",
    )


def build_nightly_schedule(
    api: Api, parent: Parent, children: dg.AssetsDefinition
) -> dg.ScheduleDefinition:
    """Syncs the partitions that may still change, in one run; ended ones are left alone."""

    @dg.schedule(
        name=f"{api.name}_{parent.partitions}_nightly",
        target=children,
        cron_schedule=NIGHTLY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Syncs the live partitions of {parent.partitions}.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        keys = context.instance.get_dynamic_partitions(parent.partitions)
        if not keys:
            return dg.SkipReason(f"{parent.partitions} has no partitions yet")
        return dg.RunRequest(
            run_config={"ops": {children.op.name: {"config": {"only": "live"}}}},
            tags=range_tags(keys),
        )

    return nightly
