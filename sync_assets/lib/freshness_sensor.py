"""The sensor that keeps a source fresh: stale, failing and never synced lists are synced again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import dagster as dg

from sync_assets.lib.checklist import FRESH, fresh
from sync_assets.lib.freshness import Verdict, judge
from sync_assets.lib.keys import partition_key
from sync_assets.lib.memory import Memory
from sync_assets.lib.requests import Demand, demands
from sync_assets.lib.settings import AutomationSettings
from sync_assets.lib.specs import asset_key
from sync_assets.lib.underway import under_way
from sync_assets.sources.rest import times
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.look import state


def build_freshness_sensor(
    api: Api, assets: Sequence[dg.AssetsDefinition], settings: AutomationSettings
) -> dg.SensorDefinition:
    """Requests what needs a sync, the oldest first and within a budget; publishes what is stale.

    Lists that are under way are not requested again, those that fail after ever longer pauses.
    """

    @dg.sensor(
        name=f"{api.name}_freshness",
        target=list(assets),
        minimum_interval_seconds=settings.sensor_interval,
        default_status=settings.sensor_status,
        description=f"Syncs what is stale, failing or was never synced of {api.name}.",
    )
    def keep_fresh(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = times.now()
        try:
            known = state(api)
        except WarehouseBusyError as error:
            return dg.SkipReason(f"{error}; the next tick looks again")
        verdicts = list(judge(api, known, settings, now))
        needed = [verdict for verdict in verdicts if verdict.needed]
        memory = Memory.read(context.cursor)
        memory.forget_all_but(needed)
        free = _not_under_way(api, needed, context.instance)
        ripe = [verdict for verdict in free if memory.may_ask(verdict, settings, now)]
        chosen = within_budget(demands(api, ripe, context.instance), settings)
        memory.ask((v for v in ripe if any(_covers(demand, v) for demand in chosen)), now)
        news = _news(api, verdicts, settings, memory)
        return dg.SensorResult(
            run_requests=[demand.request(api) for demand in chosen],
            asset_events=news,
            cursor=memory.write(),
            skip_reason=None if chosen else _reason(needed, free),
        )

    return keep_fresh


def within_budget(found: Iterable[Demand], settings: AutomationSettings) -> list[Demand]:
    """As many runs over as many keys as one tick may request; the rest is for the next ones."""
    chosen: list[Demand] = []
    keys = settings.keys_per_tick
    for demand in found:
        if len(chosen) == settings.runs_per_tick or (demand.keys and not keys):
            break
        chosen.append(replace(demand, keys=demand.keys[:keys]))
        keys -= len(chosen[-1].keys)
    return chosen


def _covers(demand: Demand, verdict: Verdict) -> bool:
    if verdict.resource not in demand.resources:
        return False
    return verdict.parent is None or partition_key(verdict.parent) in demand.keys


def _not_under_way(
    api: Api, verdicts: Sequence[Verdict], instance: dg.DagsterInstance
) -> list[Verdict]:
    if not verdicts:
        return []
    order = {
        asset_key(api, child): keys
        for parent in api.parents
        for keys in [list(instance.get_dynamic_partitions(parent.partitions))]
        for child in api.children(parent.resource)
    }
    busy = under_way(instance, {asset_key(api, v.resource) for v in verdicts}, order)
    return [
        verdict
        for verdict in verdicts
        for asset in [asset_key(api, verdict.resource)]
        if (asset, None) not in busy
        and (verdict.parent is None or (asset, partition_key(verdict.parent)) not in busy)
    ]


def _news(
    api: Api, verdicts: Sequence[Verdict], settings: AutomationSettings, memory: Memory
) -> list[dg.AssetCheckEvaluation]:
    """The evaluations of the check `fresh` that say something else than the last ones."""
    news = []
    for resource in api.endpoints:
        finding = fresh([v for v in verdicts if v.resource == resource], settings)
        if memory.published.get(resource) != finding.gist:
            memory.published[resource] = finding.gist
            news.append(finding.evaluation(asset_key(api, resource), FRESH))
    return news


def _reason(needed: Sequence[Verdict], free: Sequence[Verdict]) -> str:
    if not needed:
        return "everything is fresh"
    return (
        f"{len(needed)} lists need a sync: {len(needed) - len(free)} are under way, the others "
        "wait for a pause after failures or for their partition"
    )
