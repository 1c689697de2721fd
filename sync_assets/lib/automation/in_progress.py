"""Finds the lists that are being synced or queued."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cache, partial

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.remote_representation.code_location import is_implicit_asset_job_name
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from sync_assets.base.times import EVER
from sync_assets.lib.assets.reruns import PARENT, first_attempt
from sync_assets.lib.assets.sync_config import Listed, planned, reads_heads
from sync_assets.lib.automation.jobs import tables_job_name
from sync_assets.lib.automation.waiting_runs import STATUSES, waiting_runs
from sync_assets.lib.keys import KeyOrder, keys_of, partition_key
from sync_assets.lib.materialized import partitions_since
from sync_assets.lib.translator import asset_key
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.sources.rest.api import Api

EXECUTING = [status for status in NOT_FINISHED_STATUSES if status not in STATUSES]


@dataclass
class Queue:
    """The lists in progress, how many runs execute and wait, and since when the first one waits.

    `heads` are the lists of which only the heads are read, which takes a moment. `begun` is since
    when a run executes that reads a list in another way, whether it has loaded it or not.
    """

    lists: set[Listed] = field(default_factory=set)
    heads: set[Listed] = field(default_factory=set)
    begun: dict[Listed, datetime] = field(default_factory=dict)
    executing: int = 0
    waiting: int = 0
    since: datetime | None = None

    def take(self, unloaded: set[Listed], run: dg.DagsterRun) -> None:
        """Add the lists that a run has not loaded yet."""
        self.lists |= unloaded
        if reads_heads(run):
            self.heads |= unloaded

    def is_free(self, verdict: ListFreshness) -> bool:
        """Return whether no run is going to load a list.

        A sweep is in progress until the list is proven, even if heads are loaded meanwhile.
        """
        if not is_free(verdict, self.lists):
            return False
        began = [self.begun.get(one, EVER) for one in (list_of(verdict), (verdict.resource, None))]
        over = max(verdict.proven_at, verdict.history.failed_at or EVER)
        return not (verdict.earned and verdict.to_sweep and max(began) > over)

    def told(self) -> str:
        """Return a sentence about the runs to append to a message; empty if there are none."""
        if not self.executing and not self.waiting:
            return ""
        since = f", the first since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f". {self.executing} runs execute, {self.waiting} wait{since}"


def in_progress(api: Api, instance: dg.DagsterInstance) -> Queue:
    """Return the lists of an API that unfinished runs and backfills will still load.

    The key None stands for all lists of a resource. A run of an asset job that names no assets
    counts for all of the job's assets, and so does a backfill that has not made all its runs.
    """
    queue, order = Queue(), _orders(api, instance)
    for record in instance.get_run_records(dg.RunsFilter(statuses=EXECUTING)):
        if lists := _lists(api, record.dagster_run, order):
            queue.executing += 1
            if record.start_time is not None and not reads_heads(record.dagster_run):
                began = datetime.fromtimestamp(record.start_time, timezone.utc)
                queue.begun |= dict.fromkeys(lists, began)
            queue.take(
                _unloaded(api, instance, record.dagster_run, lists, record.start_time),
                record.dagster_run,
            )
    first = ""
    for run in waiting_runs(instance):
        if lists := _lists(api, run, order):
            first, queue.waiting = run.run_id, queue.waiting + 1
            again = PARENT in run.tags
            queue.take(_unloaded(api, instance, run, lists, None) if again else lists, run)
    if first and (waiting := instance.get_run_record_by_id(first)):
        queue.since = waiting.create_timestamp.astimezone(timezone.utc)
    requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    resources = {asset_key(api, resource): resource for resource in api.endpoints}
    for backfill in instance.get_backfills(requested):
        assets = resources.keys() & set(backfill.asset_selection or [])
        queue.lists |= {(resources[asset], None) for asset in assets}
    return queue


def list_of(freshness: ListFreshness) -> Listed:
    """Return what a sync of this list is called: a partition, or the whole asset."""
    key = partition_key(str(freshness.parent)) if freshness.partitioned else None
    return freshness.resource, key


def is_free(freshness: ListFreshness, busy: set[Listed]) -> bool:
    """Whether a list is not in progress."""
    return (freshness.resource, None) not in busy and list_of(freshness) not in busy


def asked_now(needed: Iterable[ListFreshness], queue: Queue) -> list[ListFreshness]:
    """Return the lists that need a sync and may be requested now, as they should be read.

    A list that has earned heads and is due for a sweep is returned twice, because a sweep may take
    hours. While it is in progress, only the head is requested.
    """
    found = []
    for one in needed:
        free = queue.is_free(one)
        if free and not (one.has_head and one.by_head):
            found.append(one)
        beside = (one.to_sweep and one.early) or one.stale or free
        if one.has_head and beside and (one.by_head or one.early) and is_free(one, queue.heads):
            found.append(replace(one, to_sweep=False))
    return found


def _lists(api: Api, run: dg.DagsterRun, order: Callable[[str], KeyOrder]) -> set[Listed]:
    """Return what a run was to sync when it began."""
    found = {one for _, _, lists in planned(api, run) for one in lists}
    if run.asset_selection:
        selected = [k.path[-1] for k in run.asset_selection if k == asset_key(api, k.path[-1])]
    elif is_implicit_asset_job_name(run.job_name):
        selected = list(api.endpoints)
    else:
        selected = api.unpartitioned() if run.job_name == tables_job_name(api) else []
    for resource in api.endpoints.keys() & {*selected}:
        found |= {(resource, key) for key in keys_of(run.tags, partial(order, resource))}
    return found


def _unloaded(
    api: Api,
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    lists: set[Listed],
    started: float | None,
) -> set[Listed]:
    """Return the lists of a run that were not materialized since its first attempt began."""
    first = first_attempt(instance, run, 0)
    began = first.timestamp() if first else started
    if began is None:
        return lists
    loaded = {
        (resource, key)
        for resource in {resource for resource, _ in lists}
        for key in partitions_since(instance, asset_key(api, resource), began)
        if key is not None or not api.endpoints[resource].partitioned
    }
    return lists - loaded


def _orders(api: Api, instance: dg.DagsterInstance) -> Callable[[str], KeyOrder]:
    """Return a function that gives a resource's partition keys in order; read only for ranges."""

    @cache
    def order(resource: str) -> KeyOrder:
        of = [p for p in api.parents if resource in api.children(p.resource)]
        return KeyOrder([key for p in of for key in instance.get_dynamic_partitions(p.partitions)])

    return order
