"""What is being synced already, or waits for its turn."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from sync_assets.lib.keys import keys_of

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
            found |= {(asset, key) for key in keys_of(run.tags, partial(_of, order, asset))}
    requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(requested):
        found |= {(asset, None) for asset in wanted & set(backfill.asset_selection or [])}
    return found


def _of(order: dict[dg.AssetKey, list[str]], asset: dg.AssetKey) -> list[str]:
    return order.get(asset, [])
