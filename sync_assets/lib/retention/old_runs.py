"""Old runs that are no longer needed, and their removal.

A run is needed if it holds the newest materialization of a partition or the newest evaluation of a
check: `delete_run` removes these too, and the partition would count as missing.
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
    """Return the runs that ended before a time, whether or not they are needed.

    Only runs of the code location of the run `of`, because others may share the instance.
    """
    over = dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=before)
    location = of.tags.get(LOCATION)
    return [run.run_id for run in instance.get_runs(over) if run.tags.get(LOCATION) == location]


def needed_runs(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs that hold a newest materialization or evaluation."""
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
    """Remove runs with their events, evaluations and logs; the run itself last."""
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
    """Return the ids of the newest rows of a table for each value of the keys."""
    return db.select(db.func.max(columns.id)).where(which).group_by(*keys)


def newest_evaluations() -> Any:
    """Return the ids of each check's newest evaluation, and of its newest with a result."""
    checks = AssetCheckExecutionsTable.c
    keys = [checks.asset_key, checks.check_name, checks.partition]
    evaluated = checks.execution_status.in_(EVALUATED)
    return db.union(newest(checks, keys, db.true()), newest(checks, keys, evaluated))


def event_log(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    """Return the instance's event log, which must be an SQL one."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise dg.Failure(f"{type(storage).__name__} keeps its events by rules of its own")
    return storage


def _files(storage: SqlEventLogStorage, run_id: str) -> list[Path]:
    """Return the database files that SQLite keeps for a run."""
    if not isinstance(storage, SqliteEventLogStorage):
        return []
    shard = storage.path_for_shard(run_id)
    return [Path(f"{shard}{suffix}") for suffix in ("", "-wal", "-shm")]
