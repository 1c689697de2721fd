"""Builds the SQL of a typed view: a select over its table, with columns of other tables.

It is built as the SQL of Postgres, from which sqlglot makes that of DuckDB. Each row stays one
row: the other table is grouped by its key before it is joined. A column that the warehouse does not
have yet, or has with another type than declared, is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import sqlglot

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.typed import ViewColumn, typed_columns
from sync_assets.warehouse.typed import casts
from sync_assets.warehouse.typed.casts import POSTGRES

#: The types of the columns by table, in dlt's words, as the warehouse has them.
Stored = Mapping[str, Mapping[str, str]]
ROW = "t"


class ViewSql:
    """The views of an API in one dialect, over the stored columns of its tables in a dataset."""

    def __init__(self, api: Api, dataset: str, dialect: str, stored: Stored) -> None:
        self._endpoints = api.endpoints
        self._dataset, self._stored = dataset, stored
        self._dialect = dialect

    def columns(self, table: str) -> list[ViewColumn]:
        """Return the columns of a view."""
        return typed_columns(self._endpoints[table], self._endpoints)

    def types(self, table: str) -> dict[str, str]:
        """Return the kinds of the columns of a view, by name."""
        return {column.name: column.kind for column in self.columns(table)}

    def signature(self, table: str) -> str:
        """Return a text that changes when the query or the comments of a view change."""
        meanings = (f"{c.name}: {c.meaning} {c.personal}" for c in self.columns(table))
        return "\n".join([self._select(table), *meanings])

    def select(self, table: str) -> str:
        """Return the query of a view."""
        return self._written(self._select(table))

    def _written(self, sql: str) -> str:
        """Write a query in the dialect; sqlglot is loaded on the first call."""
        if self._dialect == POSTGRES:
            return sql
        return sqlglot.transpile(sql, read=POSTGRES, write=self._dialect)[0]

    def _select(self, table: str) -> str:
        columns = self.columns(table)
        own = {column.name: column for column in columns}
        joins = dict(self._joins(columns))
        shown = [
            f"{self._shown(table, column, own)} AS {quoted(column.name)}"
            if not column.joined
            else f"{quoted(_alias(column))}.{quoted(column.joined)} AS {quoted(column.name)}"
            if _alias(column) in joins
            else f"{casts.null(column.kind)} AS {quoted(column.name)}"
            for column in columns
        ]
        source = f"SELECT {', '.join(shown)} FROM {self._source(table)}"
        return " ".join([source, *joins.values()])

    def uncast(self, table: str) -> str | None:
        """Return a query that counts, in one row by column, the values that are null in it."""
        own = {column.name: column for column in self.columns(table)}
        converted = self.converted(table)
        if not converted:
            return None
        beside = {name for column in converted for name in (column.currency, column.multiplier)}
        joins = dict(self._joins([own[name] for name in sorted(beside & own.keys())]))
        counts = [self._lost(table, column, own) for column in converted]
        source = f"SELECT {', '.join(counts)} FROM {self._source(table)}"
        return self._written(" ".join([source, *joins.values()]))

    def _lost(self, table: str, column: ViewColumn, own: Mapping[str, ViewColumn]) -> str:
        sent = _at(column, _sent(column))
        if column.form == "cents":
            return f"COUNT(CASE WHEN {self._share(table, column, own)} IS NULL THEN {sent} END)"
        return f"COUNT({sent}) - COUNT({self._shown(table, column, own)})"

    def converted(self, table: str) -> list[ViewColumn]:
        """Return the columns whose value could be null in the view although the table has one."""
        there = self._stored.get(table, {})
        return [
            column
            for column in self.columns(table)
            if column.converted and not column.joined and column.column in there
        ]

    def _source(self, table: str) -> str:
        """Return a table with columns for values inside its JSON: DuckDB parses it once a row."""
        there = self._stored.get(table, {})
        read = {quoted(name) for name in self._endpoints[table].columns if name in there}
        for column in self.columns(table):
            if there.get(column.column) == column.stored:
                for path in filter(None, (column.path, _sent(column))):
                    as_json = column.kind == "json"
                    value = casts.inside(quoted(column.column), path, as_json=as_json)
                    read.add(f"{value} AS {quoted('.'.join((column.column, *path)))}")
        return f"(SELECT {', '.join(sorted(read))} FROM {self.table(table)}) AS {ROW}"

    def table(self, name: str) -> str:
        """Return the name of a table of the dataset."""
        return f"{quoted(self._dataset)}.{quoted(name)}"

    def _shown(self, table: str, column: ViewColumn, own: Mapping[str, ViewColumn]) -> str:
        """Return the expression of a column in the view."""
        if self._stored.get(table, {}).get(column.column) != column.stored:
            return casts.null(column.kind)
        raw = _at(column, column.path)
        if column.form == "same":
            return casts.FROM_TEXT[column.kind](raw) if column.converted else raw
        if column.form == "unix":
            return casts.unix_text(raw) if column.path else casts.unix(raw)
        if column.form == "cents":
            return casts.cents(raw, self._share(table, column, own))
        if column.form == "boolean number":
            return casts.boolean(f"CAST({raw} AS TEXT)")
        return casts.FROM_TEXT[column.kind](raw)

    def _share(self, table: str, column: ViewColumn, own: Mapping[str, ViewColumn]) -> str:
        given = (self._beside(table, name, own) for name in (column.currency, column.multiplier))
        return casts.share(*given)

    def _beside(self, table: str, name: str, own: Mapping[str, ViewColumn]) -> str | None:
        """Return the value of another column: of the row, or of a joined table."""
        if name not in own:
            return None
        column = own[name]
        if column.joined:
            at = f"{quoted(_alias(column))}.{quoted(column.joined)}"
            return at if self._joinable(column) else None
        there = self._stored.get(table, {}).get(column.column)
        return _at(column, column.path) if there == column.stored else None

    def _joinable(self, column: ViewColumn) -> bool:
        return column.key in self._stored.get(column.refers, {})

    def _joins(self, columns: list[ViewColumn]) -> Iterator[tuple[str, str]]:
        by_alias: dict[str, list[ViewColumn]] = {}
        for column in columns:
            if column.joined and self._joinable(column):
                by_alias.setdefault(_alias(column), []).append(column)
        for alias, shown in by_alias.items():
            table, id_column = shown[0].refers, shown[0].key
            own = {column.name: column for column in self.columns(table)}
            values = ", ".join(
                f"MAX({self._shown(table, own[c.joined], own)}) AS {quoted(c.joined)}"
                for c in shown
            )
            key = f"CAST({ROW}.{quoted(id_column)} AS TEXT)"
            rows = (
                f"SELECT {key} AS {quoted('id')}, {values} FROM {self._source(table)} "
                f"GROUP BY {key}"
            )
            name = f"CAST({ROW}.{quoted(shown[0].column)} AS TEXT)"
            yield (
                alias,
                f"LEFT JOIN ({rows}) AS {quoted(alias)} ON {quoted(alias)}.{quoted('id')} = {name}",
            )


@cache
def quoted(name: str) -> str:
    """Quote a name as both dialects do."""
    return sqlglot.to_identifier(name, quoted=True).sql()


def _at(column: ViewColumn, path: tuple[str, ...]) -> str:
    """Return a column as it is stored, or the value at a path of it."""
    return f"{ROW}.{quoted('.'.join((column.column, *path)))}"


def _sent(column: ViewColumn) -> tuple[str, ...]:
    """Return the path of a column's value; for an object that stands for an instant, the object."""
    return column.path[:-1] if column.form == "unix" else column.path


def _alias(column: ViewColumn) -> str:
    return f"{column.column}_{column.refers}"
