"""Old events of no run: what sensors publish of checks, and Dagster's daemon of freshness.

`delete_run` never takes them along. The newest of each kind stays, whatever its age.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from sync_assets.lib.old_runs import event_log, newest, newest_evaluations

EVENTS, EVALUATIONS = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c


def count_old_events(instance: dg.DagsterInstance, before: datetime) -> int:
    """How many events of no run are from before a moment and newest of nothing."""
    with event_log(instance).index_connection() as connection:
        count = db.select(db.func.count()).where(_old_events(_stored(before)))
        return int(connection.execute(count).scalar_one())


def delete_old_events(instance: dg.DagsterInstance, before: datetime) -> None:
    """Remove them, and the evaluations of checks that they tell of."""
    storage, moment = event_log(instance), _stored(before)
    old = _old_events(moment)
    tags = AssetEventTagsTable.delete().where(
        AssetEventTagsTable.c.event_id.in_(db.select(EVENTS.id).where(old))
    )
    evaluations = AssetCheckExecutionsTable.delete().where(_old_evaluations(moment))
    with storage.index_connection() as connection:
        for statement in (tags, SqlEventLogStorageTable.delete().where(old), evaluations):
            connection.execute(statement)
    if isinstance(storage, SqliteEventLogStorage):  # it keeps them a second time
        with storage.run_connection(RUNLESS_RUN_ID) as connection:
            connection.execute(SqlEventLogStorageTable.delete().where(EVENTS.timestamp < moment))


def _old_events(moment: datetime) -> Any:
    told = db.select(EVALUATIONS.evaluation_event_storage_id).where(
        EVALUATIONS.evaluation_event_storage_id.is_not(None),
        EVALUATIONS.id.in_(newest_evaluations()),
    )
    kind = [EVENTS.dagster_event_type, EVENTS.asset_key, EVENTS.partition]
    return db.and_(
        EVENTS.run_id == RUNLESS_RUN_ID,
        EVENTS.timestamp < moment,
        EVENTS.id.not_in(newest(EVENTS, kind, db.true())),
        EVENTS.id.not_in(told),
    )


def _old_evaluations(moment: datetime) -> Any:
    return db.and_(
        EVALUATIONS.run_id == RUNLESS_RUN_ID,
        EVALUATIONS.evaluation_event_timestamp < moment,
        EVALUATIONS.id.not_in(newest_evaluations()),
    )


def _stored(moment: datetime) -> datetime:
    """A moment as Dagster stores one."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None)
