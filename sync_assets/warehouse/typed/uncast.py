"""Counts the stored values that a typed view cannot convert; they are null in the view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import dlt
from dlt.destinations.job_client_impl import SqlJobClientBase

from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.typed.stored import dialect_of, stored_types
from sync_assets.warehouse.typed.view_sql import ViewSql


def uncast(
    pipeline: dlt.Pipeline, api: Api, resources: Iterable[str]
) -> dict[str, Mapping[str, int]]:
    """Count, by table and column, the values that are null in the view; one query for each table.

    Tables that are missing or not ours count none, and neither does a warehouse without views.
    """
    dialect = dialect_of(pipeline.destination)
    if dialect is None:
        return {}
    with pipeline.destination_client() as client:
        client = cast("SqlJobClientBase", client)  # capabilities.py refuses others
        sql = ViewSql(api, client.sql_client.dataset_name, dialect, stored_types(client, api))
        return {table: _counted(client, sql, table) for table in resources}


def _counted(client: SqlJobClientBase, sql: ViewSql, table: str) -> dict[str, int]:
    query = sql.uncast(table)
    if query is None:
        return {}
    with client.sql_client.execute_query(query) as cursor:
        counts = cursor.fetchone() or ()
    names = [column.name for column in sql.converted(table)]
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}
