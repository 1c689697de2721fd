"""What is being synced already, or waits for its turn."""

from __future__ import annotations

from functools import partial

import dagster as dg

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.remote_representation.code_location import is_implicit_asset_job_name
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from sync_assets.lib.keys import keys_of, partition_key
from sync_assets.lib.translator import asset_key
from sync_assets.planning.freshness import ListFreshness
from sync_assets.sources.rest.api import Api

#: A resource, and a partition key or None.
Listed = tuple[str, "str | None"]


def lists_in_progress(api: Api, instance: dg.DagsterInstance) -> set[Listed]:
    """The lists of an API that some run or backfill that is not over will sync.

    The key None is all that is below the parents of a resource. A run of the asset job that names
    no assets, and a backfill whose runs are not all made, count for all of theirs.
    """
    resources = {asset_key(api, resource): resource for resource in api.endpoints}
    order = _partitions(api, instance)
    found: set[Listed] = set()
    unfinished = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))
    for run in instance.get_runs(unfinished):
        every = resources if is_implicit_asset_job_name(run.job_name) else ()
        for asset in resources.keys() & set(run.asset_selection or every):
            known = order.get(resources[asset], [])
            found |= {(resources[asset], key) for key in keys_of(run.tags, partial(list, known))}
    requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(requested):
        assets = resources.keys() & set(backfill.asset_selection or [])
        found |= {(resources[asset], None) for asset in assets}
    return found


def list_of(verdict: ListFreshness) -> Listed:
    """What syncs the list that a verdict is on: a partition, or the asset as a whole."""
    key = partition_key(str(verdict.parent)) if verdict.partitioned else None
    return verdict.resource, key


def is_free(verdict: ListFreshness, busy: set[Listed]) -> bool:
    """Whether a list is not among those under way."""
    return not {(verdict.resource, None), list_of(verdict)} & busy


def _partitions(api: Api, instance: dg.DagsterInstance) -> dict[str, list[str]]:
    """The partition keys of each resource below a parent, in their order."""
    return {
        child: keys
        for parent in api.parents
        for keys in [list(instance.get_dynamic_partitions(parent.partitions))]
        for child in api.children(parent.resource)
    }
