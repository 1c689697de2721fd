"""The sensor that keeps the partitions of a parent in step with its table.

Dagster's own asset sensor drops events and no declarative condition creates partitions: this
compares what is with what should be, so that a missed event costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from sync_assets.lib.keys import in_order, partition_key, range_tags, stretches
from sync_assets.lib.queue_tags import queue_tags
from sync_assets.lib.settings import AutomationSettings
from sync_assets.lib.specs import asset_key
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.look import parent_ids

EVERY = 15


def build_partition_sensor(
    api: Api,
    parent: Parent,
    children: dg.AssetsDefinition,
    settings: AutomationSettings,
    longest: int,
) -> dg.SensorDefinition:
    """On each sync of the parent: new ids become partitions and are synced, vanished ones retire.

    A run syncs at most `longest` of them (0: all). Rows of retired partitions stay until somebody
    prunes them.
    """
    parent_key = asset_key(api, parent.resource)

    @dg.sensor(
        name=f"{api.name}_{parent.partitions}_partitions",
        target=children,
        minimum_interval_seconds=EVERY,
        default_status=settings.sensor_status,
        description=f"Follows {parent_key.to_user_string()}: adds, first syncs and retires "
        f"partitions of {parent.partitions}.",
    )
    def follow_parent(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        news = _latest(context.instance, parent_key)
        if news is None:
            return dg.SkipReason(f"{parent_key.to_user_string()} was never synced")
        if context.cursor == news:
            return dg.SkipReason(f"nothing new since sync {news}")
        try:
            ids = parent_ids(api, parent)
        except WarehouseBusyError as error:
            return dg.SkipReason(f"{error}; the next tick looks again")
        listed = in_order(map(partition_key, ids))
        known = context.instance.get_dynamic_partitions(parent.partitions)
        new = in_order(set(listed) - set(known))
        gone = in_order(set(known) - set(listed))
        return dg.SensorResult(
            run_requests=_first_sync(api, children, new, news, longest),
            dynamic_partitions_requests=_changes(parent.partitions, new, gone),
            cursor=news,
        )

    return follow_parent


def _first_sync(
    api: Api, children: dg.AssetsDefinition, new: Sequence[str], news: str, longest: int
) -> list[dg.RunRequest]:
    """Runs for all new keys: added last, they are a range of their own."""
    return [
        dg.RunRequest(
            run_key=f"{news} {keys[0]}",
            asset_selection=sorted(children.keys),
            tags={**queue_tags(api, partitioned=True), **range_tags(keys)},
        )
        for keys in stretches(new, new, longest)
    ]


def _changes(
    name: str, new: list[str], gone: list[str]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    partitions = dg.DynamicPartitionsDefinition(name=name)
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if gone:
        changes.append(partitions.build_delete_request(gone))
    if new:
        changes.append(partitions.build_add_request(new))
    return changes


def _latest(instance: dg.DagsterInstance, key: dg.AssetKey) -> str | None:
    """What identifies the newest materialization of an asset."""
    records = instance.fetch_materializations(key, limit=1).records
    return str(records[0].storage_id) if records else None
