"""Old events without a run: check evaluations by sensors, and freshness by Dagster's daemon.

`delete_run` does not remove them. The newest of each kind stays, whatever its age.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import dagster as dg
import sqlalchemy as db

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from sync_assets.lib.retention.old_runs import event_log, newest, newest_evaluations

EVENTS, EVALUATIONS = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c


def count_old_events(
    instance: dg.DagsterInstance, before: datetime, assets: Sequence[dg.AssetKey]
) -> int:
    """Count the events without a run that are older than a time and not the newest of a kind."""
    with event_log(instance).index_connection() as connection:
        count = db.select(db.func.count()).where(_old_events(_stored(before), _names(assets)))
        return int(connection.execute(count).scalar_one())


def delete_old_events(
    instance: dg.DagsterInstance, before: datetime, assets: Sequence[dg.AssetKey]
) -> None:
    """Remove these events and the evaluations of checks that belong to them."""
    storage, moment, names = event_log(instance), _stored(before), _names(assets)
    old = _old_events(moment, names)
    tags = AssetEventTagsTable.delete().where(
        AssetEventTagsTable.c.event_id.in_(db.select(EVENTS.id).where(old))
    )
    evaluations = AssetCheckExecutionsTable.delete().where(_old_evaluations(moment, names))
    with storage.index_connection() as connection:
        for statement in (tags, SqlEventLogStorageTable.delete().where(old), evaluations):
            connection.execute(statement)
    if isinstance(storage, SqliteEventLogStorage):  # it keeps them a second time
        with storage.run_connection(RUNLESS_RUN_ID) as connection:
            copies = db.and_(EVENTS.timestamp < moment, _of_assets(names))
            connection.execute(SqlEventLogStorageTable.delete().where(copies))


def _old_events(moment: datetime, names: Sequence[str]) -> Any:
    current = db.select(EVALUATIONS.evaluation_event_storage_id).where(
        EVALUATIONS.evaluation_event_storage_id.is_not(None),
        EVALUATIONS.id.in_(newest_evaluations()),
    )
    kind = [EVENTS.dagster_event_type, EVENTS.asset_key, EVENTS.partition]
    return db.and_(
        EVENTS.run_id == RUNLESS_RUN_ID,
        EVENTS.timestamp < moment,
        _of_assets(names),
        EVENTS.id.not_in(newest(EVENTS, kind, db.true())),
        EVENTS.id.not_in(current),
    )


def _old_evaluations(moment: datetime, names: Sequence[str]) -> Any:
    return db.and_(
        EVALUATIONS.run_id == RUNLESS_RUN_ID,
        EVALUATIONS.evaluation_event_timestamp < moment,
        EVALUATIONS.asset_key.in_(names),
        EVALUATIONS.id.not_in(newest_evaluations()),
    )


def _of_assets(names: Sequence[str]) -> Any:
    """Return the condition for events of some assets; evaluations have theirs only in the text."""
    named = [EVENTS.event.contains(f'"path": {name}', autoescape=True) for name in names]
    return db.or_(EVENTS.asset_key.in_(names), db.and_(EVENTS.asset_key.is_(None), db.or_(*named)))


def _names(assets: Sequence[dg.AssetKey]) -> list[str]:
    """Return asset keys as Dagster stores them."""
    return [asset.to_string() for asset in assets]


def _stored(moment: datetime) -> datetime:
    """Return a time as Dagster stores it."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None)
