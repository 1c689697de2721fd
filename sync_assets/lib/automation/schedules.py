"""Schedules: tables and live partitions that are due, unless they are under way."""

from __future__ import annotations

import dagster as dg

from sync_assets.base import times
from sync_assets.lib.assets.sync_config import tables_config
from sync_assets.lib.automation.budget import tables_due, within_quota
from sync_assets.lib.automation.in_progress import in_progress
from sync_assets.lib.automation.jobs import Job, tables_job_name
from sync_assets.lib.automation.run_requests import plan_runs
from sync_assets.lib.default_status import schedule_status
from sync_assets.lib.translator import asset_key
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import state


def build_tables_schedule(
    api: Api, job: Job, settings: AutomationSettings
) -> dg.ScheduleDefinition:
    """Syncs parents and every other unpartitioned table."""

    @dg.schedule(
        name=f"{api.name}_hourly",
        job=job,
        cron_schedule=settings.tables_schedule,
        execution_timezone=settings.timezone,
        default_status=schedule_status(settings),
        description=f"Syncs the {api.name} tables that are one list.",
    )
    def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        queue = in_progress(api, context.instance)
        taken = {resource for resource, _ in queue.lists}
        names = [name for name in api.unpartitioned() if name not in taken]
        chosen = tables_due(api, settings, names, queue)
        if not chosen:
            what = "are fresh, or wait for their part of the quota" if names else "are under way"
            return dg.SkipReason(f"all tables of {api.name} {what}{queue.told()}")
        free = [asset_key(api, name) for name in sorted(chosen)]
        return dg.RunRequest(
            run_config=tables_config(api), job_name=tables_job_name(api), asset_selection=free
        )

    return hourly


def build_partitions_schedule(
    api: Api,
    parent: Parent,
    job: Job,
    settings: AutomationSettings,
    longest: int,
) -> dg.ScheduleDefinition:
    """Syncs the partitions that may still change, at most `longest` a run (0: all)."""

    @dg.schedule(
        name=f"{api.name}_{parent.partitions}_hourly",
        job=job,
        cron_schedule=settings.partitions_schedule,
        execution_timezone=settings.timezone,
        default_status=schedule_status(settings),
        description=f"Syncs the live partitions of {parent.partitions}.",
    )
    def hourly(
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
        queue = in_progress(api, context.instance)
        due = [verdict for verdict in live if verdict.scheduled]
        free = [verdict for verdict in due if queue.is_free(verdict)]
        free = within_quota(api, known, settings, verdicts, free, queue.lists)
        found = plan_runs(api, free, context.instance, longest)
        tick = context.scheduled_execution_time.isoformat()
        requests = [demand.request(api, tick) for demand in found]
        what = "due and not under way already" if live else "live"
        none = f"no partition of {parent.partitions} is {what}{queue.told()}"
        return requests or dg.SkipReason(none)

    return hourly
