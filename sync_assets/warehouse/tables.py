"""Queries on our tables in the warehouse, and the removal of rows below a parent.

A table that no sync made is treated as missing: it is never read or changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from math import inf
from typing import Any, TypeVar

import dlt
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.warehouse.connection.destination import database_file, whereabouts
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.connection.unreachable import unreachable
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.ownership import Ownership

BATCH_SIZE, FETCHED = 500, 10_000
T = TypeVar("T")


class Tables:
    """The tables of one dataset, over one open connection, which may be `in_transaction`.

    Tables in `taken_over` count as ours although no sync made them.
    """

    def __init__(
        self,
        client: SqlClientBase[Any],
        taken_over: Iterable[str] = (),
        *,
        in_transaction: bool = False,
    ) -> None:
        self._client, self._in_transaction = client, in_transaction
        self.ownership = Ownership(client, taken_over)
        self.column = client.escape_column_name
        self.name = client.make_qualified_table_name

    def has(self, table: str) -> bool:
        """Whether a table exists and is ours."""
        return self.ownership.is_ours(table) and bool(self.ownership.columns(table))

    def counts(self, table: str, column: str | None) -> dict[str | None, int]:
        """Count rows by the values of a column, or all rows under None; empty without the table."""
        name = self.name(table)
        if column is None:
            rows = self.select(table, f"SELECT NULL, count(*) FROM {name}")
        else:
            key = self.column(column)
            rows = self.select(table, f"SELECT {key}, count(*) FROM {name} GROUP BY {key}")
        return {parent: int(count) for parent, count in rows}

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        where: tuple[str, Iterable[Any]] | None = None,
        below: tuple[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return columns of all rows, or of those `where` a column has one of some values.

        `below` restricts them to one parent: the column of its id, and the id. A column that an
        earlier version did not make is null. Without the table, there are no rows.
        """
        name = self.name(table)
        there = self._there(table, columns)
        if not there:
            return []
        query = f"SELECT {self._names(there)} FROM {name}"
        if where is None:
            found = self.select(table, query)
        else:
            key = self.column(where[0])
            more, parent = self._below(below, "AND")
            found = [
                row
                for part in _parts(list(where[1]))
                for row in self.select(
                    table, f"{query} WHERE {key} IN ({_marks(part)}){more}", *part, *parent
                )
            ]
        blank = dict.fromkeys(columns)
        return [blank | dict(zip(there, row, strict=True)) for row in found]

    def values(
        self, table: str, column: str, below: tuple[str, str] | None = None
    ) -> Iterator[list[Any]]:
        """Yield the values of a column in batches, of all rows or of those below a parent."""
        if not self.has(table):
            return
        where, parent = self._below(below, "WHERE")
        query = f"SELECT {self.column(column)} FROM {self.name(table)}{where}"
        with self._client.execute_query(query, *parent) as cursor:
            while rows := cursor.fetchmany(FETCHED):
                yield [value for (value,) in rows]

    def count(self, table: str, below: tuple[str, str] | None = None) -> int:
        """Count all rows, or those below a parent."""
        where, parent = self._below(below, "WHERE")
        found = self.select(table, f"SELECT count(*) FROM {self.name(table)}{where}", *parent)
        return int(found[0][0]) if found else 0

    def _below(self, below: tuple[str, str] | None, word: str) -> tuple[str, list[str]]:
        """Return a condition that begins with `word`, and its values."""
        if below is None:
            return "", []
        return f" {word} {self.column(below[0])} = %s", [below[1]]

    def latest(self, table: str, key: str, column: str) -> dict[str | None, Any]:
        """Return the greatest value of a column for each value of another one."""
        name = self.name(table)
        by, of = (self.column(column) for column in (key, column))
        return dict(self.select(table, f"SELECT {by}, max({of}) FROM {name} GROUP BY {by}"))

    def delete(self, table: str, column: str, values: Iterable[str]) -> None:
        """Remove the rows with these values, in one transaction."""
        with self._transaction():
            self._delete(table, column, values)

    def delete_before(
        self, table: str, column: str, moment: datetime, where: tuple[str, str]
    ) -> None:
        """Remove the rows from before a time, of those `where` a column has a value.

        The newest of these rows stays.
        """
        name = self.name(table)
        time, mark = map(self.column, (column, where[0]))
        newest = f"SELECT max({time}) FROM {name} WHERE {mark} = %s"
        self._client.execute_sql(
            f"DELETE FROM {name} WHERE {mark} = %s AND {time} < %s AND {time} < ({newest})",
            where[1],
            moment,
            where[1],
        )

    def update(self, table: str, column: str, value: str, where: tuple[str, Iterable[Any]]) -> None:
        """Set a column of the rows in which another column has one of some values."""
        name, of, key = self.name(table), self.column(column), self.column(where[0])
        for part in _parts(list(where[1])):
            marks = _marks(part)
            self._client.execute_sql(
                f"UPDATE {name} SET {of} = %s WHERE {key} IN ({marks})", value, *part
            )

    def put(self, table: str, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, all with the same columns, and replace those with the same key.

        Values for columns that an earlier version did not make are left out.
        """
        if not rows:
            return
        name = self.name(table)
        columns = self._there(table, list(rows[0]))
        into = f"INSERT INTO {name} ({self._names(columns)}) VALUES"
        with self._transaction():
            self._delete(table, key, [row[key] for row in rows])
            for part in _parts(rows):
                self._insert(into, [[row[column] for column in columns] for row in part])

    def _there(self, table: str, columns: Sequence[str]) -> list[str]:
        made = self.ownership.columns(table)
        return [name for name in columns if name in made]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._in_transaction:
            yield
            return
        with self._client.begin_transaction():
            yield

    def _delete(self, table: str, column: str, values: Iterable[str]) -> None:
        if not self.ownership.is_ours(table):
            raise WarehouseError(f"{table} was not made by a sync; nothing of it is removed.")
        name = self.name(table)
        key = self.column(column)
        for part in _parts(list(values)):
            self._client.execute_sql(f"DELETE FROM {name} WHERE {key} IN ({_marks(part)})", *part)

    def _insert(self, into: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as SQL literals, twenty times as fast as bound values in DuckDB."""
        escape = self._client.capabilities.escape_literal
        if escape is None:  # dlt has none for Snowflake
            marks = ", ".join(f"({_marks(row)})" for row in rows)
            self._client.execute_sql(f"{into} {marks}", *(value for row in rows for value in row))
            return
        literals = ", ".join(f"({', '.join(str(escape(value)) for value in row)})" for row in rows)
        self._client.execute_sql(f"{into} {literals}")

    def _names(self, columns: Sequence[str]) -> str:
        return ", ".join(self.column(column) for column in columns)

    def select(self, table: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query on a table; none if the table is missing or not ours."""
        if not self.has(table):
            return []
        return [tuple(row) for row in self._client.execute_sql(query, *values) or ()]


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[i : i + BATCH_SIZE] for i in range(0, len(items), BATCH_SIZE))


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def locked_tables(client: SqlClientBase[Any]) -> AbstractContextManager[Tables]:
    """Return the tables over a connection whose transaction holds the locks of a load."""
    return nullcontext(Tables(client, in_transaction=True))


@contextmanager
def open_tables_when_free(
    pipeline: dlt.Pipeline,
    say: Callable[[str], None] = silent,
    *,
    patience: float = inf,
    taken_over: Iterable[str] = (),
) -> Iterator[Tables]:
    """Open the tables when nobody else uses the warehouse's file, and lock the file meanwhile.

    Waits for up to `patience` seconds and reports that to `say`; raises `WarehouseBusyError`
    after that time.
    """
    with (
        single_writer(database_file(pipeline), say, patience=patience),
        open_tables(pipeline, taken_over) as tables,
    ):
        yield tables


@contextmanager
def open_tables(pipeline: dlt.Pipeline, taken_over: Iterable[str] = ()) -> Iterator[Tables]:
    """Open the tables of a pipeline's dataset, whether or not it has been loaded yet."""
    client = pipeline.sql_client()
    try:
        client.open_connection()
    except Exception as error:  # noqa: BLE001 - each destination has a driver of its own
        raise unreachable(error, whereabouts(pipeline)) from None
    try:
        yield Tables(client, taken_over)
    finally:
        client.close_connection()
