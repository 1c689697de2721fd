"""Writes the descriptions of a table's columns as comments on Postgres and DuckDB.

Our comments end in a mark; a comment without it belongs to somebody else and stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.typed import is_personal
from sync_assets.warehouse.typed.casts import POSTGRES
from sync_assets.warehouse.typed.comments import described, literal
from sync_assets.warehouse.typed.view_sql import Stored, quoted

MARK = " (sync_assets)"
OF_POSTGRES = """
SELECT c.relname, a.attname, col_description(c.oid, a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
"""
OF_DUCKDB = """
SELECT table_name, column_name, comment FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = %s
"""


def comment_on_tables(client: SqlClientBase[Any], dialect: str, api: Api, stored: Stored) -> None:
    """Write the comments that differ from the declaration; takes one query if none does."""
    query = OF_POSTGRES if dialect == POSTGRES else OF_DUCKDB
    rows = client.execute_sql(query, client.dataset_name) or ()
    there = {(str(table), str(column)): comment for table, column, comment in rows}
    if statements := list(_changes(client, api, stored, there)):
        client.execute_sql(";\n".join(statements))


def _changes(
    client: SqlClientBase[Any],
    api: Api,
    stored: Stored,
    there: Mapping[tuple[str, str], str | None],
) -> Iterator[str]:
    for table in stored:
        name = f"{quoted(client.dataset_name)}.{quoted(table)}"
        for column in api.endpoints[table].columns.values():
            key = (table, str(column["name"]))
            about, now = column.get("description"), there.get(key)
            if not about or key not in there or (now and not now.endswith(MARK)):
                continue
            wanted = described(about, personal=is_personal(column)) + MARK
            if now != wanted:
                place = f"{name}.{quoted(key[1])}"
                yield f"COMMENT ON COLUMN {place} IS {literal(wanted)}"
