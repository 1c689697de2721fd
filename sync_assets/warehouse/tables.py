"""Questions to the warehouse's tables, and the removal of rows below a parent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.warehouse.destination import VARIABLES
from sync_assets.warehouse.errors import WarehouseError

AT_ONCE = 500


class Tables:
    """The tables of one dataset, over one open connection."""

    def __init__(self, client: SqlClientBase[Any]) -> None:
        self._client = client

    def counts(self, table: str, column: str | None) -> dict[str | None, int]:
        """Rows by the values of a column, or of the whole table under None; empty without it."""
        name = self._client.make_qualified_table_name(table)
        if column is None:
            rows = self._select(f"SELECT NULL, count(*) FROM {name}")
        else:
            key = self._client.escape_column_name(column)
            rows = self._select(f"SELECT {key}, count(*) FROM {name} GROUP BY {key}")
        return {parent: int(count) for parent, count in rows}

    def rows(self, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of all rows; none without the table."""
        name = self._client.make_qualified_table_name(table)
        selected = ", ".join(self._client.escape_column_name(column) for column in columns)
        found = self._select(f"SELECT {selected} FROM {name}")
        return [dict(zip(columns, row, strict=True)) for row in found]

    def delete(self, table: str, column: str, values: Iterable[str]) -> None:
        """Remove the rows with these values, in one transaction."""
        name = self._client.make_qualified_table_name(table)
        key = self._client.escape_column_name(column)
        wanted = list(values)
        with self._client.begin_transaction():
            for i in range(0, len(wanted), AT_ONCE):
                part = wanted[i : i + AT_ONCE]
                marks = ", ".join(["%s"] * len(part))
                self._client.execute_sql(f"DELETE FROM {name} WHERE {key} IN ({marks})", *part)

    def _select(self, query: str) -> list[tuple[Any, ...]]:
        try:
            return [tuple(row) for row in self._client.execute_sql(query) or ()]
        except DatabaseUndefinedRelation:
            return []


@contextmanager
def open_tables(pipeline: dlt.Pipeline) -> Iterator[Tables]:
    """The tables of a pipeline's dataset, whether or not it has been loaded yet."""
    try:
        client = pipeline.sql_client()
        client.open_connection()
    except Exception as error:  # each destination has a driver with its own
        raise WarehouseError(
            f"The warehouse cannot be reached, check {VARIABLES}. {_first_lines(error)}"
        ) from error
    try:
        yield Tables(client)
    finally:
        client.close_connection()


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split("\n")[:3]).strip()
