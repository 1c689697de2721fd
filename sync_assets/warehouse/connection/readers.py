"""Postgres: changes a table when nobody reads it; reports the wait, and fails after a time.

A statement that waits for a table blocks everyone who comes after it. So the change is tried again
and again, and others may read in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.base import stop
from sync_assets.warehouse.connection.postgres import LOCK_NOT_AVAILABLE, SAY_EVERY_SECONDS
from sync_assets.warehouse.errors import WarehouseError

#: Seconds of one attempt, in which no signal is seen, and of all together.
ATTEMPT_SECONDS, PATIENCE_SECONDS = 2, 900.0
HOLDERS = """
SELECT DISTINCT a.pid, a.application_name FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid <> pg_backend_pid() AND n.nspname = ANY(%s)
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.pid
"""


def change_patiently(
    client: SqlClientBase[Any],
    datasets: Sequence[str],
    change: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    """Change tables of these datasets; `change` is tried again as a whole while others use them.

    Raises `WarehouseError` with the processes that use them after `PATIENCE_SECONDS`.
    """
    started, said = time.monotonic(), -inf
    client.execute_sql(f"SET lock_timeout = '{ATTEMPT_SECONDS}s'")
    while True:
        stop.current().check()
        try:
            return change()
        except DatabaseTransientException as error:
            if getattr(error.dbapi_exception, "pgcode", None) != LOCK_NOT_AVAILABLE:
                raise
        waited, dataset = time.monotonic() - started, datasets[0]
        who = _holders(client, datasets)
        if waited >= PATIENCE_SECONDS:
            raise WarehouseError(
                f"The tables of {dataset} must be changed, and others have used them for "
                f"{waited:.0f} s: {who}. End their transactions, and sync again."
            )
        if waited - said >= SAY_EVERY_SECONDS:
            said = waited
            why = f"its tables must be changed while others use them ({waited:.0f} s so far)"
            say(f"waiting for {dataset}: {why}: {who}")


def _holders(client: SqlClientBase[Any], datasets: Sequence[str]) -> str:
    """Return the processes that hold locks of these datasets; never their queries."""
    rows = client.execute_sql(HOLDERS, list(datasets)) or ()
    readers = [f"pid {pid} ({name})" if name else f"pid {pid}" for pid, name in rows]
    return ", ".join(readers) or "a process that has just ended"
