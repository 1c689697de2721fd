"""The sensor that keeps a source fresh: it requests stale, failing and never synced lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import dagster as dg

from sync_assets.base import times
from sync_assets.lib.automation.budget import within_quota
from sync_assets.lib.automation.in_progress import Queue, asked_now, in_progress, list_of
from sync_assets.lib.automation.jobs import Job
from sync_assets.lib.automation.partition_cursor import added_keys
from sync_assets.lib.automation.partition_sensor import sensor_name
from sync_assets.lib.automation.run_requests import PlannedRun, plan_runs
from sync_assets.lib.automation.sensor_cursor import SensorCursor
from sync_assets.lib.checks.catalog import FRESH, PROVEN, fresh, proven
from sync_assets.lib.default_status import sensor_status
from sync_assets.lib.translator import asset_key
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import State, state

#: The checks that time alone turns red.
CHECKS = {FRESH: fresh, PROVEN: proven}


def build_freshness_sensor(
    api: Api, jobs: Sequence[Job], settings: AutomationSettings, longest: int
) -> dg.SensorDefinition:
    """Build the sensor that requests what needs a sync, oldest first, and reports what is stale.

    Lists in progress are not requested again; lists that fail are, after ever longer pauses.
    A run syncs at most `longest` partitions (0: all).
    """

    @dg.sensor(
        name=f"{api.name}_freshness",
        jobs=jobs,
        minimum_interval_seconds=settings.sensor_interval,
        default_status=sensor_status(settings),
        description=f"Syncs what is stale, failing or was never synced of {api.name}.",
    )
    def keep_fresh(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = times.now()
        try:
            known = state(api)
        except WarehouseBusyError as error:
            return dg.SkipReason(f"{error}; the next tick looks again")
        found = list(evaluate_freshness(api, known, settings, now))
        needed = _of_ours(context, api, known, [v for v in found if v.needed])
        cursor = SensorCursor.read(context.cursor)
        cursor.see(found, now)
        queue = in_progress(api, context.instance)
        free = asked_now(needed, queue)
        ripe = [one for one in free if cursor.may_ask(one, settings, now)]
        ripe = within_quota(api, known, settings, found, ripe, queue.lists)
        chosen = within_budget(plan_runs(api, ripe, context.instance, longest), settings)
        cursor.ask(_covered(needed, chosen), now)
        requested = {resource for run in chosen for resource, _ in run.lists}
        others = [one for one in found if one.resource not in requested]
        evaluations = _new_evaluations(
            api, others, settings, cursor, {resource for resource, _ in queue.lists}, now
        )
        return dg.SensorResult(
            run_requests=[run.request(api) for run in chosen],
            asset_events=evaluations,
            cursor=cursor.write(),
            skip_reason=None if chosen else f"{_reason(needed, queue)}{queue.told()}",
        )

    return keep_fresh


def _of_ours(
    context: dg.SensorEvaluationContext, api: Api, known: State, found: Iterable[ListFreshness]
) -> list[ListFreshness]:
    """Return tables, and the lists below partitions that are ours.

    Lists that were never tried are ours if the partition sensor added their partition.
    """
    tried = {history.parent for history in known.histories.values()}
    added = {
        (child, key)
        for parent in api.parents
        for key in added_keys(context, sensor_name(api, parent))
        for child in api.children(parent.resource)
    }
    return [
        one for one in found if one.parent is None or one.parent in tried or list_of(one) in added
    ]


def within_budget(runs: Iterable[PlannedRun], settings: AutomationSettings) -> list[PlannedRun]:
    """Return as many runs and keys as one tick may request; the next ticks request the rest."""
    chosen: list[PlannedRun] = []
    keys = settings.keys_per_tick
    for run in runs:
        if len(chosen) == settings.runs_per_tick or (run.below and not keys):
            break
        chosen.append(run.first(keys))
        keys -= len(chosen[-1].below)
    return chosen


def _covered(found: Iterable[ListFreshness], chosen: Iterable[PlannedRun]) -> list[ListFreshness]:
    lists = {one for run in chosen for one in run.lists}
    return [one for one in found if list_of(one) in lists]


def _new_evaluations(
    api: Api,
    found: Sequence[ListFreshness],
    settings: AutomationSettings,
    cursor: SensorCursor,
    busy: Collection[str],
    now: datetime,
) -> list[dg.AssetCheckEvaluation]:
    """Return the evaluations of `fresh` and `proven` that differ from the last ones.

    A run that is in progress or was just requested reports on its assets itself. But if a list
    has waited longer than allowed, that is reported once.
    """
    by_resource: dict[str, list[ListFreshness]] = defaultdict(list)
    for one in found:
        by_resource[one.resource].append(one)
    evaluations = []
    for resource, lists in by_resource.items():
        too_long = any(cursor.waited_too_long(one, settings, now) for one in lists)
        for check, check_lists in CHECKS.items():
            name = resource if check == FRESH else f"{resource} {check}"
            finding, last = check_lists(lists, settings), cursor.published.get(name, "")
            if resource in busy and (finding.told_again(last) or not too_long):
                continue
            if last != finding.gist and (too_long or any(map(cursor.knows, lists))):
                cursor.published[name] = finding.gist
                evaluations.append(finding.evaluation(asset_key(api, resource), check))
    return evaluations


def _reason(needed: Sequence[ListFreshness], queue: Queue) -> str:
    if not needed:
        return "everything is fresh"
    busy = sum(not queue.is_free(one) for one in needed)
    return (
        f"{len(needed)} lists need a sync: {busy} are under way, the others "
        "wait for a pause after failures, for their partition or for their part of the quota"
    )
