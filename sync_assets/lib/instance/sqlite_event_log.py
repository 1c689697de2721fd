"""Dagster's event log on SQLite that keeps its connections: an event costs a seventh.

Dagster makes an engine and opens a connection for each statement, and it records two events for
each partition and asset of a run. The files are Dagster's own, so either class reads the files of
the other. `_connect`, `_initdb`, `_initialized_dbs`, `_db_lock` and
`_has_asset_key_col_on_connection` are private to Dagster (read in 1.13.27).
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listen
from sqlalchemy.pool import StaticPool

ENGINES_KEPT = 8
BUSY_SECONDS = 30


class KeptSqliteEventLog(SqliteEventLogStorage):
    """The event log with a kept connection for each of the shards that were used last."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[tuple[int, str], Engine] = OrderedDict()
        self._known: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        key = (os.getpid(), shard)  # a connection must not be used in a forked process
        engine = self._engines.pop(key, None)
        if engine is not None and shard not in self._initialized_dbs:  # somebody wiped the storage
            engine.dispose()
            engine = None
        if engine is None:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,  # one at a time: whoever uses it holds the lock
                connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            )
            listen(engine, "connect", _without_waiting_for_the_disk)
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._engines[key] = engine
        while len(self._engines) > ENGINES_KEPT:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event and touch the run's file, because the UI waits for the file to change.

        Without that the file changes only when the connection is closed.
        """
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def has_table(self, table_name: str) -> bool:
        """Whether a table exists."""
        return self._is_there(table_name, partial(super().has_table, table_name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        look = partial(super()._has_asset_key_col_on_connection, conn, column_name)
        return self._is_there(column_name, look)

    def _is_there(self, name: str, look: Callable[[], bool]) -> bool:
        """Whether a table or column exists; a positive answer is kept."""
        if name not in self._known and look():
            self._known.add(name)
        return name in self._known

    def dispose(self) -> None:
        """Close the connections."""
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _without_waiting_for_the_disk(connection: Any, record: object) -> None:
    """Do not wait for the disk: kill -9 loses nothing, a power cut may lose the last events."""
    connection.execute("PRAGMA synchronous = NORMAL")
