"""What was materialized since a time, by the increasing ids of Dagster's event log."""

from __future__ import annotations

import dagster as dg


def newest(instance: dg.DagsterInstance, asset: dg.AssetKey, before: float | None = None) -> int:
    """Return the id of an asset's newest materialization before a unix time, or 0."""
    wanted = dg.AssetRecordsFilter(asset, before_timestamp=before)
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].storage_id if records else 0


def partitions_after(
    instance: dg.DagsterInstance, asset: dg.AssetKey, mark: int
) -> set[str | None]:
    """Return the partitions that were materialized after an id; None stands for the whole asset."""
    if newest(instance, asset) <= mark:
        return set()
    return {None, *instance.get_materialized_partitions(asset, after_cursor=mark)}


def partitions_since(
    instance: dg.DagsterInstance, asset: dg.AssetKey, moment: float
) -> set[str | None]:
    """Return the partitions that were materialized since a unix time; see `partitions_after`."""
    return partitions_after(instance, asset, newest(instance, asset, moment))
