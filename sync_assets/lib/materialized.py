"""What has been materialized since when, by the ids that Dagster's event log counts up."""

from __future__ import annotations

import dagster as dg


def newest(instance: dg.DagsterInstance, asset: dg.AssetKey, before: float | None = None) -> int:
    """The id of an asset's newest materialization, before a moment (seconds since 1970); or 0."""
    wanted = dg.AssetRecordsFilter(asset, before_timestamp=before)
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].storage_id if records else 0


def partitions_after(
    instance: dg.DagsterInstance, asset: dg.AssetKey, mark: int
) -> set[str | None]:
    """The partitions that were materialized after an id, and None if the asset was at all."""
    if newest(instance, asset) <= mark:
        return set()
    return {None, *instance.get_materialized_partitions(asset, after_cursor=mark)}


def partitions_since(
    instance: dg.DagsterInstance, asset: dg.AssetKey, moment: float
) -> set[str | None]:
    """The partitions that were materialized since a moment; see `partitions_after`."""
    return partitions_after(instance, asset, newest(instance, asset, moment))
