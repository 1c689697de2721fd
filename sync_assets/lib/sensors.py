"""Sensors that make a project run by itself: the first sync, and the partitions of each parent.

Dagster's own asset sensor drops events and no declarative condition creates partitions: these
compare what is with what should be, so that a missed event costs nothing.
"""

from __future__ import annotations

from datetime import datetime, timezone

import dagster as dg

from sync_assets.lib.choice import missing_keys, parent_keys
from sync_assets.lib.keys import in_order, range_tags
from sync_assets.lib.specs import asset_key
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.errors import WarehouseBusyError

EVERY = 15


def build_first_sync_sensor(api: Api, tables: dg.AssetsDefinition) -> dg.SensorDefinition:
    """Requests once what was never synced; after that the schedule keeps it fresh."""

    @dg.sensor(
        name=f"{api.name}_first_sync",
        target=tables,
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Requests the first sync of the {api.name} tables.",
    )
    def first_sync(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if context.cursor:
            return dg.SkipReason(f"requested before, at {context.cursor}; now the schedule's turn")
        never = [key for key in tables.keys if _latest(context.instance, key) is None]
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        if not never:
            return dg.SensorResult(cursor=now, skip_reason="every table was synced before")
        return dg.SensorResult(
            run_requests=[dg.RunRequest(asset_selection=sorted(never))], cursor=now
        )

    return first_sync


def build_partition_sensor(
    api: Api, parent: Parent, children: dg.AssetsDefinition
) -> dg.SensorDefinition:
    """Keeps a partitions definition in step with the parent's table, on each sync of the parent.

    New ids become partitions, vanished ones are retired, and one run is requested for whatever
    was never synced. Rows of retired partitions stay.
    """
    parent_key = asset_key(api, parent.resource)

    @dg.sensor(
        name=f"{api.name}_{parent.partitions}_partitions",
        target=children,
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Follows {parent_key.to_user_string()}: adds, retires and first syncs "
        f"partitions of {parent.partitions}.",
    )
    def follow_parent(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        news = _latest(context.instance, parent_key)
        if news is None:
            return dg.SkipReason(f"{parent_key.to_user_string()} was never synced")
        if context.cursor == news:
            return dg.SkipReason(f"nothing new since sync {news}")
        try:
            listed = parent_keys(api, parent)
        except WarehouseBusyError as error:
            return dg.SkipReason(f"{error}; the next tick looks again")
        known = context.instance.get_dynamic_partitions(parent.partitions)
        new = [key for key in listed if key not in set(known)]
        gone = in_order(set(known) - set(listed))
        kept = [key for key in known if key not in gone]
        missing = missing_keys(context.instance, children.keys, kept) | set(new)
        return dg.SensorResult(
            run_requests=_range_request(children, [*kept, *new], missing, news),
            dynamic_partitions_requests=_changes(parent.partitions, new, gone),
            cursor=news,
        )

    return follow_parent


def _range_request(
    children: dg.AssetsDefinition, keys: list[str], missing: set[str], news: str
) -> list[dg.RunRequest]:
    """One run over the range that holds all missing keys, told to sync these alone."""
    wanted = [key for key in keys if key in missing]
    if not wanted:
        return []
    return [
        dg.RunRequest(
            run_key=news,
            asset_selection=sorted(children.keys),
            run_config={"ops": {children.op.name: {"config": {"only": "missing"}}}},
            tags=range_tags(wanted),
        )
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
