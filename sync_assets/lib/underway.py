"""What is being synced already, or waits for its turn."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.remote_representation.code_location import is_implicit_asset_job_name
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from sync_assets.lib.freshness import Verdict
from sync_assets.lib.keys import keys_of, partition_key
from sync_assets.lib.specs import asset_key
from sync_assets.sources.rest.api import Api

#: An asset, and a partition key of it or None for all of it.
Subject = tuple[dg.AssetKey, "str | None"]
#: A resource, and a partition key or None.
Listed = tuple[str, "str | None"]


def under_way(
    instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], order: dict[dg.AssetKey, list[str]]
) -> set[Subject]:
    """What of these assets some run or backfill that is not over will sync.

    `order` holds the keys of partitioned assets in their order. A run of the asset job that names
    no assets, and a backfill whose runs are not all made, count for all of theirs.
    """
    wanted = set(assets)
    found: set[Subject] = set()
    unfinished = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))
    for run in instance.get_runs(unfinished):
        every = wanted if is_implicit_asset_job_name(run.job_name) else ()
        for asset in wanted & set(run.asset_selection or every):
            found |= {(asset, key) for key in keys_of(run.tags, partial(_of, order, asset))}
    requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(requested):
        found |= {(asset, None) for asset in wanted & set(backfill.asset_selection or [])}
    return found


def lists_under_way(api: Api, instance: dg.DagsterInstance) -> set[Listed]:
    """The lists of an API that are under way; all below its parents where the key is None."""
    order = {
        asset_key(api, child): keys
        for parent in api.parents
        for keys in [list(instance.get_dynamic_partitions(parent.partitions))]
        for child in api.children(parent.resource)
    }
    assets = [asset_key(api, resource) for resource in api.endpoints]
    return {(asset.path[-1], key) for asset, key in under_way(instance, assets, order)}


def list_of(verdict: Verdict) -> Listed:
    """The list that a verdict is on."""
    parent = verdict.parent
    return verdict.resource, None if parent is None else partition_key(parent)


def is_free(verdict: Verdict, busy: set[Listed]) -> bool:
    """Whether a list is not among those under way."""
    return not {(verdict.resource, None), list_of(verdict)} & busy


def _of(order: dict[dg.AssetKey, list[str]], asset: dg.AssetKey) -> list[str]:
    return order.get(asset, [])
