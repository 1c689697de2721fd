"""Plans the runs that a source needs now: one for tables, one for the lists below each parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import dagster as dg

from sync_assets.base.times import EVER
from sync_assets.lib.assets.reads import Read
from sync_assets.lib.assets.sync_config import Listed, job_name, run_config, tables_config
from sync_assets.lib.automation.jobs import tables_job_name
from sync_assets.lib.keys import partition_key
from sync_assets.lib.translator import asset_key
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.sources.rest.api import Api, Parent


@dataclass(frozen=True)
class PlannedRun:
    """A run of tables, or of some resources below each of some keys of a parent.

    `since` is the oldest last read among its lists, `read` is how it reads them.
    """

    since: datetime
    tables: tuple[str, ...] = ()
    parent: Parent | None = None
    below: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read: Read = Read.due

    @property
    def lists(self) -> set[Listed]:
        """The lists that the run would sync."""
        below = {(resource, key) for key, names in self.below.items() for resource in names}
        return {(name, None) for name in self.tables} | below

    def first(self, keys: int) -> PlannedRun:
        """Return the run with at most so many keys."""
        return replace(self, below=dict(islice(self.below.items(), keys)))

    def request(self, api: Api, what: str | None = None) -> dg.RunRequest:
        """Return the run request; `what`, `read` and the first key make its run key, if given."""
        words = (self.read.name, *self.tables, *islice(self.below, 1))
        key = " ".join([what, *words]) if what else None
        if self.parent is None:
            tables = [asset_key(api, name) for name in self.tables]
            return dg.RunRequest(
                key,
                tables_config(api, self.read),
                job_name=tables_job_name(api),
                asset_selection=tables,
            )
        config = run_config(api, self.parent, self.below, self.read)
        return dg.RunRequest(key, config, job_name=job_name(api, self.parent))


def plan_runs(
    api: Api, needed: Iterable[ListFreshness], instance: dg.DagsterInstance, longest: int
) -> list[PlannedRun]:
    """Return the runs that sync these lists, those with the oldest rows first.

    Heads have runs of their own, so they do not wait for sweeps. Each run covers at most `longest`
    partitions (0: no limit). A list whose partition Dagster does not know is left to the partition
    sensor.
    """
    known = {
        parent.resource: set(instance.get_dynamic_partitions(parent.partitions))
        for parent in api.parents
    }
    heads, others = list[ListFreshness](), list[ListFreshness]()
    for one in needed:
        (heads if one.by_head and one.has_head else others).append(one)
    found = [
        replace(run, read=read)
        for read, lists in ((Read.heads, heads), (Read.due, others))
        for run in _runs(api, lists, known, longest)
    ]
    return sorted(found, key=lambda run: run.since)


def _runs(
    api: Api, lists: Sequence[ListFreshness], known: Mapping[str, set[str]], longest: int
) -> Iterator[PlannedRun]:
    tables = [one for one in lists if not one.partitioned]
    if tables:
        names = tuple(sorted({one.resource for one in tables}))
        yield PlannedRun(_oldest(tables), names)
    for parent in api.parents:
        yield from _below(api, parent, lists, known[parent.resource], longest)


def runs_below(
    parent: Parent,
    below: Mapping[str, tuple[str, ...]],
    since: Mapping[str, datetime],
    longest: int,
) -> Iterator[PlannedRun]:
    """Yield runs of resources below keys, each with at most `longest` keys (0: no limit)."""
    keys = list(below)
    most = longest or len(keys)
    for start in range(0, len(keys), most or 1):
        some = keys[start : start + most]
        oldest = min(since.get(key, EVER) for key in some)
        yield PlannedRun(oldest, parent=parent, below={key: below[key] for key in some})


def _below(
    api: Api, parent: Parent, lists: Sequence[ListFreshness], known: set[str], longest: int
) -> Iterator[PlannedRun]:
    children = set(api.children(parent.resource))
    by_key: dict[str, list[ListFreshness]] = defaultdict(list)
    for one in lists:
        if one.resource in children and (key := partition_key(str(one.parent))) in known:
            by_key[key].append(one)
    since = {key: _oldest(lists) for key, lists in by_key.items()}
    below = {
        key: tuple(sorted({one.resource for one in by_key[key]}))
        for key in sorted(since, key=lambda key: since[key])
    }
    yield from runs_below(parent, below, since, longest)


def _oldest(lists: Iterable[ListFreshness]) -> datetime:
    return min(one.fresh_at for one in lists)
