"""Questions to the warehouse's tables, and the removal of rows below a parent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.sources.rest.api import ACTIVITY, Parent
from sync_assets.warehouse.destination import VARIABLES
from sync_assets.warehouse.errors import WarehouseLostError

AT_ONCE = 500
T = TypeVar("T")


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

    def rows(
        self, table: str, columns: Sequence[str], where: tuple[str, Iterable[str]] | None = None
    ) -> list[dict[str, Any]]:
        """Some columns of all rows, or of those `where` a column has a value; none without it.

        A column that the table does not have yet is null.
        """
        name, there = self._client.make_qualified_table_name(table), self._columns(table)
        known = [column for column in columns if column in there]
        if not known:
            return []
        query = f"SELECT {self._names(known)} FROM {name}"
        if where is None:
            found = self._select(query)
        else:
            key = self._client.escape_column_name(where[0])
            found = [
                row
                for part in _parts(list(where[1]))
                for row in self._select(f"{query} WHERE {key} IN ({_marks(part)})", *part)
            ]
        nothing = dict.fromkeys(columns)
        return [{**nothing, **dict(zip(known, row, strict=True))} for row in found]

    def latest(self, table: str, key: str, column: str) -> dict[str | None, Any]:
        """The greatest value of a column by the values of another."""
        name = self._client.make_qualified_table_name(table)
        by, of = (self._client.escape_column_name(column) for column in (key, column))
        return dict(self._select(f"SELECT {by}, max({of}) FROM {name} GROUP BY {by}"))

    def duplicated(self, table: str, key: Sequence[str]) -> int:
        """How many values of a key more than one row has."""
        name, columns = self._client.make_qualified_table_name(table), self._names(key)
        twice = f"SELECT {columns} FROM {name} GROUP BY {columns} HAVING count(*) > 1"
        return self._number(f"SELECT count(*) FROM ({twice}) AS twice")

    def nulls(self, table: str, columns: Sequence[str]) -> int:
        """How many rows have a null in one of these columns."""
        name = self._client.make_qualified_table_name(table)
        escaped = map(self._client.escape_column_name, columns)
        any_null = " OR ".join(f"{column} IS NULL" for column in escaped)
        return self._number(f"SELECT count(*) FROM {name} WHERE {any_null}")

    def orphans(self, table: str, column: str, parent: str) -> dict[str, int]:
        """Rows by the value of a column that is no id of the parent's table."""
        names = map(self._client.make_qualified_table_name, (table, parent))
        name, others = names
        key, identity = map(self._client.escape_column_name, (column, "id"))
        return dict(
            self._select(
                f"SELECT {key}, count(*) FROM {name} WHERE {key} NOT IN"
                f" (SELECT {identity} FROM {others}) GROUP BY {key}"
            )
        )

    def delete(self, table: str, column: str, values: Iterable[str]) -> None:
        """Remove the rows with these values, in one transaction."""
        with self._client.begin_transaction():
            self._delete(table, column, values)

    def delete_before(self, table: str, column: str, moment: datetime) -> None:
        """Remove the rows of before a moment, but for the newest of all."""
        name = self._client.make_qualified_table_name(table)
        time = self._client.escape_column_name(column)
        newest = f"SELECT max({time}) FROM {name}"
        self._client.execute_sql(
            f"DELETE FROM {name} WHERE {time} < %s AND {time} < ({newest})", moment
        )

    def put(self, table: str, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Let rows, all with the same columns, take the place of those with their key."""
        if not rows:
            return
        name = self._client.make_qualified_table_name(table)
        into = f"INSERT INTO {name} ({self._names(list(rows[0]))}) VALUES"
        with self._client.begin_transaction():
            self._delete(table, key, [row[key] for row in rows])
            for part in _parts(rows):
                self._insert(into, [list(row.values()) for row in part])

    def _delete(self, table: str, column: str, values: Iterable[str]) -> None:
        name = self._client.make_qualified_table_name(table)
        key = self._client.escape_column_name(column)
        for part in _parts(list(values)):
            self._client.execute_sql(f"DELETE FROM {name} WHERE {key} IN ({_marks(part)})", *part)

    def _number(self, query: str) -> int:
        return sum(int(count) for (count,) in self._select(query))

    def _insert(self, into: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as SQL literals, twenty times as fast as bound values in DuckDB."""
        escape = self._client.capabilities.escape_literal
        if escape is None:  # dlt has none for Snowflake
            marks = ", ".join(f"({_marks(row)})" for row in rows)
            self._client.execute_sql(f"{into} {marks}", *(value for row in rows for value in row))
            return
        literals = ", ".join(f"({', '.join(str(escape(value)) for value in row)})" for row in rows)
        self._client.execute_sql(f"{into} {literals}")

    def _columns(self, table: str) -> set[str]:
        name = self._client.make_qualified_table_name(table)
        try:
            with self._client.execute_query(f"SELECT * FROM {name} WHERE 1 = 0") as cursor:
                return {str(column[0]).lower() for column in cursor.description or ()}
        except DatabaseUndefinedRelation:
            return set()

    def _names(self, columns: Sequence[str]) -> str:
        return ", ".join(self._client.escape_column_name(column) for column in columns)

    def _select(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return [tuple(row) for row in self._client.execute_sql(query, *values) or ()]
        except DatabaseUndefinedRelation:
            return []


def parents(tables: Tables, parent: Parent) -> list[dict[str, Any]]:
    """The parents that the last sync found: their id, and what tells whether they are live."""
    latest = tables.latest(*parent.activity) if parent.activity else {}
    return [
        {**row, ACTIVITY: latest.get(str(row["id"]))}
        for row in tables.rows(parent.resource, parent.columns)
    ]


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[i : i + AT_ONCE] for i in range(0, len(items), AT_ONCE))


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


@contextmanager
def open_tables(pipeline: dlt.Pipeline) -> Iterator[Tables]:
    """The tables of a pipeline's dataset, whether or not it has been loaded yet."""
    try:
        client = pipeline.sql_client()
        client.open_connection()
    except Exception as error:  # each destination has a driver with its own
        raise WarehouseLostError(
            f"The warehouse cannot be reached, check {VARIABLES}. {_first_lines(error)}"
        ) from error
    try:
        yield Tables(client)
    finally:
        client.close_connection()


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split("\n")[:3]).strip()
