"""The lists that a run planned to materialize, and those of them that it did not load."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

import dagster as dg

from sync_assets.lib.assets.sync_config import planned
from sync_assets.lib.keys import KeyOrder, keys_of
from sync_assets.lib.materialized import partitions_since
from sync_assets.lib.translator import asset_key
from sync_assets.sources import apis

List: TypeAlias = "tuple[str, str | None]"  # an asset, and a partition of it


def planned_lists(
    instance: dg.DagsterInstance, graph: Any, run: dg.DagsterRun
) -> dict[str | None, list[List]]:
    """Return the lists that each step of a run planned to materialize; steps of checks: none."""
    snapshot = run.execution_plan_snapshot_id
    plan = instance.get_execution_plan_snapshot(snapshot) if snapshot else None
    found: dict[str | None, list[List]] = {}
    for step in plan.steps if plan else ():
        if plan and step.key in plan.step_keys_to_execute:
            made = {output.properties and output.properties.asset_key for output in step.outputs}
            found[step.key] = [
                (key.to_user_string(), partition)
                for key in sorted(key for key in made if key)
                for partition in _partitions(instance, graph, run, key)
            ]
    return found | _of_config(instance, run)


def _of_config(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str | None, list[List]]:
    """Return the lists that the config of a run names, without those of retired partitions."""
    found: dict[str | None, list[List]] = {}
    for api in apis().values():
        for parent, step, lists in planned(api, run):
            there = set(instance.get_dynamic_partitions(parent.partitions))
            found[step] = [
                (asset_key(api, resource).to_user_string(), key)
                for resource, key in lists
                if key in there
            ]
    return found


def not_loaded(instance: dg.DagsterInstance, record: dg.RunRecord, lists: list[List]) -> list[List]:
    """Return the lists that a run did not load before it failed."""
    began = record.start_time
    loaded = {
        (asset, key)
        for asset in {asset for asset, _ in lists if began}
        for key in partitions_since(instance, dg.AssetKey.from_user_string(asset), began or 0)
    }
    return [one for one in lists if one not in loaded]


def _partitions(
    instance: dg.DagsterInstance, graph: Any, run: dg.DagsterRun, key: dg.AssetKey
) -> list[Any]:
    """Return the partitions of an asset that a run selects; [None] stands for the whole asset."""
    definition = graph.get(key).partitions_def if key in graph.get_all_asset_keys() else None
    if definition is None:
        return [None]
    keys = partial(definition.get_partition_keys, dynamic_partitions_store=instance)
    return list(keys_of(run.tags, lambda: KeyOrder(keys())))
