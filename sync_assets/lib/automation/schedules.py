"""Schedules: tables by the hour, live partitions by the night; nothing that is under way."""

from __future__ import annotations

import dagster as dg

from sync_assets.base import times
from sync_assets.lib.automation.budget import tables_within_quota, within_quota
from sync_assets.lib.automation.in_progress import is_free, lists_in_progress
from sync_assets.lib.automation.queue_tags import queue_tags
from sync_assets.lib.automation.run_requests import plan_runs
from sync_assets.lib.default_status import schedule_status
from sync_assets.lib.translator import asset_key
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import state


def build_tables_schedule(
    api: Api, tables: dg.AssetsDefinition, settings: AutomationSettings
) -> dg.ScheduleDefinition:
    """Syncs parents and every other unpartitioned table."""

    @dg.schedule(
        name=f"{api.name}_hourly",
        target=tables,
        cron_schedule=settings.tables_schedule,
        execution_timezone=settings.timezone,
        default_status=schedule_status(settings),
        description=f"Syncs the {api.name} tables that are one list.",
    )
    def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        busy = lists_in_progress(api, context.instance)
        taken = {resource for resource, _ in busy}
        names = [key.path[-1] for key in tables.keys if key.path[-1] not in taken]
        chosen = tables_within_quota(api, settings, names, busy)
        if not chosen:
            what = "wait for their part of the quota" if names else "are under way"
            return dg.SkipReason(f"all tables of {api.name} {what}")
        free = [asset_key(api, name) for name in sorted(chosen)]
        return dg.RunRequest(asset_selection=free, tags=queue_tags(api, partitioned=False))

    return hourly


def build_partitions_schedule(
    api: Api,
    parent: Parent,
    children: dg.AssetsDefinition,
    settings: AutomationSettings,
    longest: int,
) -> dg.ScheduleDefinition:
    """Syncs the partitions that may still change, at most `longest` a run (0: all of a stretch)."""

    @dg.schedule(
        name=f"{api.name}_{parent.partitions}_nightly",
        target=children,
        cron_schedule=settings.partitions_schedule,
        execution_timezone=settings.timezone,
        default_status=schedule_status(settings),
        description=f"Syncs the live partitions of {parent.partitions}.",
    )
    def nightly(
        context: dg.ScheduleEvaluationContext,
    ) -> list[dg.RunRequest] | dg.SkipReason:
        try:
            known = state(api)
        except WarehouseBusyError as error:
            return dg.SkipReason(f"{error}; what gets stale by that is synced by the sensor")
        names = api.children(parent.resource)
        verdicts = list(evaluate_freshness(api, known, settings, times.now()))
        # what was never tried is left to the sensors, which know whose partition it is
        tried = {history.parent for history in known.histories.values()}
        live = [
            verdict
            for verdict in verdicts
            if not verdict.over and verdict.resource in names and verdict.parent in tried
        ]
        busy = lists_in_progress(api, context.instance)
        free = [verdict for verdict in live if is_free(verdict, busy)]
        free = within_quota(api, known, settings, verdicts, free, busy)
        found = plan_runs(api, free, context.instance, longest)
        requests = [demand.request(api, context.scheduled_execution_time) for demand in found]
        what = "not under way already" if live else "live"
        return requests or dg.SkipReason(f"no partition of {parent.partitions} is {what}")

    return nightly
