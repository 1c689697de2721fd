"""What is being synced already, or waits for its turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

#: An asset, and a partition key of it or None for all of it.
Subject = tuple[dg.AssetKey, "str | None"]


def under_way(
    instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], order: dict[dg.AssetKey, list[str]]
) -> set[Subject]:
    """What of these assets some run or backfill that is not over will sync.

    `order` holds the keys of partitioned assets in their order. A run that names no assets, and
    a backfill whose runs are not all made, count for all of theirs.
    """
    wanted = set(assets)
    found: set[Subject] = set()
    unfinished = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))
    for run in instance.get_runs(unfinished):
        for asset in wanted & set(run.asset_selection or wanted):
            found |= {(asset, key) for key in _keys(run.tags, order.get(asset, []))}
    requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(requested):
        found |= {(asset, None) for asset in wanted & set(backfill.asset_selection or [])}
    return found


def _keys(tags: Mapping[str, str], order: list[str]) -> Iterable[str | None]:
    if PARTITION_NAME_TAG in tags:
        return [tags[PARTITION_NAME_TAG]]
    start, end = (
        tags.get(tag) for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    )
    if start in order and end in order:
        return order[order.index(start) : order.index(end) + 1]
    return [None]
