"""Loads into Postgres: those of different lists in parallel, those of one list in turn.

Without locks, two loads of one list would keep the rows of both, and dlt creates tables without
regard to other processes. Advisory locks prevent that; the server frees them when the connection
ends. The results of the lists are written over the same connection, in its transaction, so that
nothing is recorded if the locks were lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any
from zlib import crc32

import dlt
from dlt.common.destination import AnyDestination
from dlt.destinations.exceptions import DatabaseException, DatabaseTransientException
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.base import stop
from sync_assets.base.errors import brief
from sync_assets.warehouse.connection.staging import NAME

ALL_TABLES = -1
BUCKETS = 256
#: Seconds of one wait for a lock, in which no signal is seen, and between two words about it.
LOCK_TIMEOUT_SECONDS, SAY_EVERY_SECONDS = 1, 10
TIMEOUTS = [
    "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout",
    "statement_timeout", "transaction_timeout",
]  # fmt: skip
#: Which of them a role, a database or the server sets: a server refuses one that it does not know.
SET_TIMEOUTS = "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting <> '0'"
#: Seconds: a network between may forget a connection that is silent for some minutes.
KEEPALIVES = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "6"}
LOCK_NOT_AVAILABLE = "55P03"
LOCK = "SELECT pg_advisory_xact_lock(hashtext(%s), key) FROM unnest(%s::int[]) AS key"
ALIVE = "SELECT pg_advisory_xact_lock(hashtext('staging'), hashtext(%s))"
ABANDONED = """
SELECT nspname FROM pg_namespace
WHERE nspname ~ %s AND pg_has_role(nspowner, 'USAGE')
AND pg_try_advisory_xact_lock(hashtext('staging'), hashtext(nspname))
"""


def is_postgres(destination: AnyDestination) -> bool:
    """Whether a destination is a Postgres server."""
    return destination.destination_type == "dlt.destinations.postgres"


def outlast_timeouts(pipeline: dlt.Pipeline) -> None:
    """Switch off the timeouts for the connections of a pipeline, including dlt's own.

    A timeout could end a connection that holds locks while rows are sent over another, or dlt's
    while it prepares the next rows.
    """
    if not is_postgres(pipeline.destination):
        return
    credentials: Any = pipeline.destination_client().config.credentials
    with pipeline.sql_client() as client:
        names = [name for (name,) in client.execute_sql(SET_TIMEOUTS, TIMEOUTS) or ()]
    query = KEEPALIVES | (credentials.query or {})
    if names:
        options = [query.get("options", ""), *(f"-c{name}=0" for name in names)]
        query["options"] = " ".join(options).strip()
    credentials.query = query
    pipeline.destination.config_params["credentials"] = credentials


@contextmanager
def list_locks(
    pipeline: dlt.Pipeline,
    lists: Iterable[str],
    make_tables: Callable[[dlt.Pipeline], None],
    say: Callable[[str], None],
) -> Iterator[SqlClientBase[Any] | None]:
    """Create the tables, then hold the locks of lists until they are loaded; on Postgres only.

    Yields the connection that holds them, in a transaction that ends with the block.
    """
    if not is_postgres(pipeline.destination):
        make_tables(pipeline)
        yield None
        return
    buckets = sorted({crc32(name.encode()) % BUCKETS for name in lists})
    with pipeline.sql_client() as client:
        with _holding(client, [ALL_TABLES], say):
            make_tables(pipeline)
        _drop_abandoned(client, say)
        with _holding(client, buckets, say):
            client.execute_sql(ALIVE, client.staging_dataset_name)
            yield client


@contextmanager
def _holding(
    client: SqlClientBase[Any], keys: list[int], say: Callable[[str], None]
) -> Iterator[None]:
    started, said, held = time.monotonic(), -inf, False
    while True:
        stop.current().check()
        try:
            with client.begin_transaction():
                client.execute_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
                client.execute_sql(LOCK, client.dataset_name, keys)
                client.execute_sql("SET LOCAL lock_timeout = 0")
                held = True
                yield
                return
        except DatabaseTransientException as error:
            code = getattr(error.dbapi_exception, "pgcode", None)
            if held or code != LOCK_NOT_AVAILABLE:
                raise
            waited = time.monotonic() - started
            if waited - said >= SAY_EVERY_SECONDS:
                said = waited
                what = f"another sync loads it ({waited:.0f} s so far)"
                say(f"waiting for {client.dataset_name}: {what}")


def _drop_abandoned(client: SqlClientBase[Any], say: Callable[[str], None]) -> None:
    """Drop the staging datasets of syncs that were killed: nobody locks their names any more."""
    try:
        with client.begin_transaction():
            for (name,) in client.execute_sql(ABANDONED, f"^{NAME}$") or ():
                client.execute_sql(f"DROP SCHEMA {client.escape_column_name(name)} CASCADE")
    except DatabaseException as error:
        say(f"staging datasets of killed syncs were left behind: {brief(error)}")
