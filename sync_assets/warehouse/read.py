"""`read`, which reads the warehouse from notebooks, assets and checks.

A query waits for loads as loads wait for each other, and closes the warehouse before it returns.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import dlt
import pyarrow as pa
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.base.errors import brief
from sync_assets.sources import apis
from sync_assets.warehouse.connection.destination import (
    database_file,
    is_duckdb,
    open_pipeline,
    whereabouts,
)
from sync_assets.warehouse.connection.lock import single_writer
from sync_assets.warehouse.connection.postgres import is_postgres
from sync_assets.warehouse.connection.unreachable import unreachable
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.errors import WarehouseError

#: Python shows its warnings where nothing else is configured: in a notebook, or a terminal.
_LOG = logging.getLogger(__name__)
PATIENCE_SECONDS = 300.0
#: Arrow's types by those of Postgres: a column without rows or of nulls alone has its type too.
OID_TYPES: dict[int, pa.DataType] = {
    16: pa.bool_(),
    20: pa.int64(), 21: pa.int64(), 23: pa.int64(),
    700: pa.float64(), 701: pa.float64(),
    25: pa.string(), 1043: pa.string(), 114: pa.string(), 3802: pa.string(),
    1082: pa.date32(), 1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
_DATASET = re.compile(r"\{(\w+)\}")


def read(
    sql: str,
    *values: Any,
    patience: float = PATIENCE_SECONDS,
    say: Callable[[str], None] = _LOG.warning,
) -> pa.Table:
    """Return the rows of a query as an arrow table in memory: `.to_pandas()`, `.to_pylist()`, ...

    `{promotions}` in the query is the dataset of a source as configured (`promotions_sandbox` in
    the sandbox), and `%s` is the next of the `values`. JSON columns are text. The query cannot
    change anything.

    If a load or another program uses a DuckDB file, `read` waits for up to `patience` seconds and
    reports that to `say`; loads wait for the query in turn. On Postgres nobody waits. Raises
    `WarehouseBusyError` after that time, and `WarehouseError` if the warehouse or the query is
    wrong.
    """
    with open_pipeline("read", "read") as pipeline:
        database = database_file(pipeline)
        if database is not None and not database.exists():
            raise WarehouseError(f"There is no {database} yet: a first sync makes it.")
        query = with_datasets(sql)
        with single_writer(database, say, patience=patience):
            client: SqlClientBase[Any] = pipeline.sql_client()
            try:
                client.open_connection()
            except Exception as error:  # noqa: BLE001 - each destination has a driver of its own
                raise unreachable(error, whereabouts(pipeline)) from None
            try:
                return _rows(client, pipeline, query, values)
            except Exception as error:  # noqa: BLE001
                cause = getattr(error, "dbapi_exception", error)
                raise WarehouseError(f"The query failed: {brief(cause)}") from None
            finally:
                client.close_connection()


def with_datasets(sql: str) -> str:
    """Replace the name of each source in braces by its dataset, as configured."""
    known = apis()
    return _DATASET.sub(lambda at: dataset_of(known[at[1]]) if at[1] in known else at[0], sql)


def _rows(
    client: SqlClientBase[Any], pipeline: dlt.Pipeline, query: str, values: tuple[Any, ...]
) -> pa.Table:
    """Run the query in a read-only transaction, if the warehouse has such."""
    if is_duckdb(pipeline.destination):
        client.execute_sql("RESET GLOBAL threads")  # a load has one: it needs no more
        client.execute_sql("BEGIN TRANSACTION READ ONLY")
    if is_postgres(pipeline.destination):
        client.execute_sql("BEGIN TRANSACTION READ ONLY")
        _take_json_as_text(client.native_connection)
    with client.execute_query(query, *values) as cursor:
        if is_duckdb(pipeline.destination):
            return _arrow_of(cursor.native_cursor)
        if not is_postgres(pipeline.destination):
            return cursor.arrow()
        columns, rows = cursor.description or (), cursor.fetchall()
    by_column = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [
        pa.array(found, OID_TYPES.get(column[1]))
        for column, found in zip(columns, by_column, strict=True)
    ]
    return pa.table(arrays, names=[column[0] for column in columns])


def _arrow_of(connection: Any) -> pa.Table:
    """Return what DuckDB found; the method that dlt calls is deprecated since DuckDB 1.5.

    DuckDB 2.0 warns that a query with bound values copies its rows once more, which is acceptable.
    """
    fetch = getattr(connection, "to_arrow_table", None) or connection.fetch_arrow_table
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
        return fetch()


def _take_json_as_text(connection: Any) -> None:
    extras: Any = import_module("psycopg2.extras")  # for those who have a Postgres
    extras.register_default_json(connection, loads=str)
    extras.register_default_jsonb(connection, loads=str)
