"""The sensor that keeps a source fresh: stale, failing and never synced lists are synced again."""

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
from sync_assets.planning.freshness import ListFreshness, evaluate_freshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import State, state

#: The checks that time alone turns red.
JUDGES = {FRESH: fresh, PROVEN: proven}


def build_freshness_sensor(
    api: Api, jobs: Sequence[Job], settings: AutomationSettings, longest: int
) -> dg.SensorDefinition:
    """Requests what needs a sync, the oldest first and within a budget; publishes what is stale.

    Lists that are under way are not requested again, those that fail after ever longer pauses.
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
        verdicts = list(evaluate_freshness(api, known, settings, now))
        needed = _of_ours(context, api, known, [v for v in verdicts if v.needed])
        memory = SensorCursor.read(context.cursor)
        memory.see(verdicts, now)
        queue = in_progress(api, context.instance)
        free = asked_now(api, needed, queue)
        ripe = [verdict for verdict in free if memory.may_ask(verdict, settings, now)]
        ripe = within_quota(api, known, settings, verdicts, ripe, queue.lists)
        chosen = within_budget(plan_runs(api, ripe, context.instance, longest), settings)
        memory.ask(_covered(needed, chosen), now)
        requested = {resource for demand in chosen for resource, _ in demand.lists}
        others = [verdict for verdict in verdicts if verdict.resource not in requested]
        news = _news(api, others, settings, memory, {resource for resource, _ in queue.lists}, now)
        return dg.SensorResult(
            run_requests=[demand.request(api) for demand in chosen],
            asset_events=news,
            cursor=memory.write(),
            skip_reason=None if chosen else f"{_reason(needed, queue)}{queue.told()}",
        )

    return keep_fresh


def _of_ours(
    context: dg.SensorEvaluationContext, api: Api, known: State, verdicts: Iterable[ListFreshness]
) -> list[ListFreshness]:
    """Tables, and what is below partitions that are not somebody else's.

    Those that were never tried are ours if the partition sensor added them.
    """
    tried = {history.parent for history in known.histories.values()}
    added = {
        (child, key)
        for parent in api.parents
        for key in added_keys(context, sensor_name(api, parent))
        for child in api.children(parent.resource)
    }
    return [
        verdict
        for verdict in verdicts
        if verdict.parent is None or verdict.parent in tried or list_of(verdict) in added
    ]


def within_budget(found: Iterable[PlannedRun], settings: AutomationSettings) -> list[PlannedRun]:
    """As many runs over as many keys as one tick may request; the rest is for the next ones."""
    chosen: list[PlannedRun] = []
    keys = settings.keys_per_tick
    for demand in found:
        if len(chosen) == settings.runs_per_tick or (demand.below and not keys):
            break
        chosen.append(demand.first(keys))
        keys -= len(chosen[-1].below)
    return chosen


def _covered(
    verdicts: Iterable[ListFreshness], chosen: Iterable[PlannedRun]
) -> list[ListFreshness]:
    lists = {one for demand in chosen for one in demand.lists}
    return [verdict for verdict in verdicts if list_of(verdict) in lists]


def _news(
    api: Api,
    verdicts: Sequence[ListFreshness],
    settings: AutomationSettings,
    memory: SensorCursor,
    under_way: Collection[str],
    now: datetime,
) -> list[dg.AssetCheckEvaluation]:
    """The evaluations of `fresh` and `proven` that say something else than the last ones.

    A run that is under way, or was just requested, will speak for its assets itself, unless one
    of their lists has waited for longer than allowed: that is told once.
    """
    by_resource: dict[str, list[ListFreshness]] = defaultdict(list)
    for verdict in verdicts:
        by_resource[verdict.resource].append(verdict)
    news = []
    for resource, lists in by_resource.items():
        too_long = any(memory.waited_too_long(one, settings, now) for one in lists)
        for check, judge in JUDGES.items():
            name = resource if check == FRESH else f"{resource} {check}"
            finding, last = judge(lists, settings), memory.published.get(name, "")
            if resource in under_way and (finding.told_again(last) or not too_long):
                continue
            if last != finding.gist and (too_long or any(map(memory.knows, lists))):
                memory.published[name] = finding.gist
                news.append(finding.evaluation(asset_key(api, resource), check))
    return news


def _reason(needed: Sequence[ListFreshness], queue: Queue) -> str:
    if not needed:
        return "everything is fresh"
    busy = sum(not queue.is_free(verdict) for verdict in needed)
    return (
        f"{len(needed)} lists need a sync: {busy} are under way, the others "
        "wait for a pause after failures, for their partition or for their part of the quota"
    )
