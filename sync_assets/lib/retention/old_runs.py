"""Runs that nobody needs any more, and how to remove one without a trace.

A run is needed while it holds the newest materialization of an asset's partition or the newest
evaluation of a check: `delete_run` takes those along, and the partition would count as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as db

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

LOCATION = ".dagster/repository"
EVALUATED = [Status.SUCCEEDED.value, Status.FAILED.value]


def old_runs(instance: dg.DagsterInstance, before: datetime, of: dg.DagsterRun) -> list[str]:
    """The runs that ended before a moment, whether they are needed or not.

    Only those of the code location of the run `of`: others share the instance, and their runs are
    theirs.
    """
    over = dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=before)
    location = of.tags.get(LOCATION)
    return [run.run_id for run in instance.get_runs(over) if run.tags.get(LOCATION) == location]


def needed_runs(instance: dg.DagsterInstance) -> set[str]:
    """The runs that something newest is known from."""
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    materialized = events.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION.value
    materializations = newest(events, [events.asset_key, events.partition], materialized)
    with event_log(instance).index_connection() as connection:
        found = {
            run_id
            for query in (
                db.select(events.run_id).where(events.id.in_(materializations)),
                db.select(checks.run_id).where(checks.id.in_(newest_evaluations())),
            )
            for (run_id,) in connection.execute(query)
        }
    last = {record.asset_entry.last_run_id for record in instance.get_asset_records()}
    return {run_id for run_id in found | last if run_id}


def delete_runs(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> None:
    """Remove runs, their events, evaluations and logs; the run last, so that none is half known."""
    storage = event_log(instance)
    for run_id in run_ids:  # first, because a bucket may forbid it
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    gone = AssetCheckExecutionsTable.delete().where(
        AssetCheckExecutionsTable.c.run_id.in_(run_ids)  # Dagster leaves them behind
    )
    with storage.index_connection() as connection:
        connection.execute(gone)
    for run_id in run_ids:
        storage.delete_events(run_id)
        instance.delete_run(run_id)
        for path in _files(storage, run_id):
            path.unlink(missing_ok=True)


def newest(columns: Any, keys: Iterable[Any], which: Any) -> Any:
    """The ids of the newest rows of a table, one for each value of the keys."""
    return db.select(db.func.max(columns.id)).where(which).group_by(*keys)


def newest_evaluations() -> Any:
    """The ids of each check's newest evaluation, and of the newest that came to a verdict."""
    checks = AssetCheckExecutionsTable.c
    keys = [checks.asset_key, checks.check_name, checks.partition]
    evaluated = checks.execution_status.in_(EVALUATED)
    return db.union(newest(checks, keys, db.true()), newest(checks, keys, evaluated))


def event_log(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    """The instance's event log, which must be one in SQL."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise dg.Failure(f"{type(storage).__name__} keeps its events by rules of its own")
    return storage


def _files(storage: SqlEventLogStorage, run_id: str) -> list[Path]:
    """The database that SQLite keeps for each run, and that outlives its last event."""
    if not isinstance(storage, SqliteEventLogStorage):
        return []
    shard = storage.path_for_shard(run_id)
    return [Path(f"{shard}{suffix}") for suffix in ("", "-wal", "-shm")]
