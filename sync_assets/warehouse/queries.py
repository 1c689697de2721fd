"""Reads what the warehouse holds, with the same locks as writers.

Sensors and schedules wait for a busy warehouse only briefly, and then raise `WarehouseBusyError`.
A run waits until the warehouse is free, as it does for its load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from math import inf
from typing import Any

from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.records.names import column_name
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.connection.lock import silent
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.integrity import duplicated, nulls, orphans
from sync_assets.warehouse.ownership import SYNCS
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets.warehouse.state.lives import parents
from sync_assets.warehouse.state.quarantine import Kept, problems
from sync_assets.warehouse.state.syncs import histories
from sync_assets.warehouse.tables import Tables, open_tables_when_free
from sync_assets.warehouse.typed.uncast import uncast

#: Seconds; sensors take turns, and the next tick looks again.
LOCK_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Tried:
    """The lists below one parent: when (ISO 8601) one was last synced or failed, and their rows."""

    at: str
    rows: int


@dataclass(frozen=True)
class Followed:
    """The ids of a parent's rows, and by id the last attempts of the lists below it.

    `as_of` is when the sync of the parent began (ISO 8601).
    """

    as_of: str
    ids: list[str]
    tried: Mapping[str, Tried]


def follow(api: Api, parent: Parent) -> Followed | None:
    """Return what the partitions of a parent should be; None if the parent was never synced."""
    resources = [parent.resource, *api.children(parent.resource)]
    columns = ["resource", "parent", "synced_at", "failed_at", "rows"]
    as_of, tried = "", dict[str, Tried]()
    with _tables(api) as tables:
        for row in tables.rows(SYNCS, columns, ("resource", resources)):
            name, at = row["parent"], max(row["synced_at"] or "", row["failed_at"] or "")
            if name is not None:
                before = tried.get(name, Tried("", 0))
                tried[name] = Tried(max(before.at, at), before.rows + (row["rows"] or 0))
            elif row["resource"] == parent.resource:
                as_of = row["synced_at"] or ""
        key = column_name(parent.key)
        ids = [str(row[key]) for row in tables.rows(parent.resource, [key])]
    return Followed(as_of, ids, tried) if as_of else None


@dataclass(frozen=True)
class State:
    """An API's parents by resource, as `life_of` takes them, and the history of each list."""

    parents: Mapping[str, list[dict[str, Any]]]
    histories: Mapping[ListKey, ListHistory]

    @cached_property
    def rest_ends_at(self) -> datetime:
        """Until when the API asked to be left alone; the earliest time if it did not."""
        asked = (history.not_before for history in self.histories.values() if history.not_before)
        return max(asked, default=datetime.min.replace(tzinfo=timezone.utc))


def state(api: Api) -> State:
    """Return what the warehouse knows of an API's lists."""
    with _tables(api) as tables:
        return _state(tables, api)


def awaited_state(api: Api, say: Callable[[str], None]) -> State:
    """Return the same for a run, which waits for a busy warehouse and reports that to `say`."""
    with _tables(api, inf, say) as tables:
        return _state(tables, api)


@dataclass(frozen=True)
class TableStats:
    """The figures of a table: rows, duplicate keys, nulls in keys, and rows by missing parent.

    `kept` are the resource's records in quarantine. `uncast` says by column how many values the
    typed view cannot convert.
    """

    rows: int
    duplicated_keys: int
    null_keys: int
    orphans: Mapping[str, int]
    kept: Sequence[Kept]
    uncast: Mapping[str, int]

    @property
    def quarantined(self) -> list[str]:
        """The reasons for which records are in quarantine."""
        return [kept.reason for kept in self.kept]

    def reasons(self, kind: str) -> list[str]:
        """Return the reasons of one kind."""
        return [kept.reason for kept in self.kept if kept.kind == kind]


def table_stats(
    api: Api, resources: Iterable[str], say: Callable[[str], None] = silent
) -> tuple[dict[str, TableStats], State]:
    """Return the figures of tables and the state of the API at the same moment; waits for both."""
    names = sorted(resources)
    with (
        open_pipeline(api.name, dataset_of(api)) as pipeline,
        open_tables_when_free(pipeline, say) as tables,
    ):
        kept, lost = list(problems(tables)), uncast(pipeline, api, names)
        facts = {
            name: _facts(
                tables,
                api.endpoints[name],
                [one for one in kept if one.resource == name],
                lost.get(name, {}),
            )
            for name in names
        }
        return facts, _state(tables, api)


def _state(tables: Tables, api: Api) -> State:
    return State(
        {parent.resource: parents(tables, api, parent) for parent in api.parents},
        {history.key: history for history in histories(tables)},
    )


def _facts(
    tables: Tables, endpoint: Endpoint, kept: Sequence[Kept], lost: Mapping[str, int]
) -> TableStats:
    primary = endpoint.hints["primary_key"]
    key = [primary] if isinstance(primary, str) else list(primary)
    return TableStats(
        rows=sum(tables.counts(endpoint.name, None).values()),
        duplicated_keys=duplicated(tables, endpoint.name, key),
        null_keys=nulls(tables, endpoint.name, key),
        orphans=orphans(tables, endpoint) if endpoint.parent else {},
        kept=kept,
        uncast=lost,
    )


@contextmanager
def _tables(
    api: Api, patience: float = LOCK_TIMEOUT_SECONDS, say: Callable[[str], None] = silent
) -> Iterator[Tables]:
    with (
        open_pipeline(api.name, dataset_of(api)) as pipeline,
        open_tables_when_free(pipeline, say, patience=patience) as tables,
    ):
        yield tables
