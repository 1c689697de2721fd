"""Queries about the keys of our tables."""

from __future__ import annotations

from collections.abc import Sequence

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.warehouse.tables import Tables


def duplicated(tables: Tables, table: str, key: Sequence[str]) -> int:
    """Return how many values of a key more than one row has."""
    columns = ", ".join(map(tables.column, key))
    twice = f"SELECT {columns} FROM {tables.name(table)} GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608
    return _number(tables, table, f"SELECT count(*) FROM ({twice}) AS twice")  # noqa: S608


def nulls(tables: Tables, table: str, columns: Sequence[str]) -> int:
    """Return how many rows have a null in one of these columns."""
    any_null = " OR ".join(f"{tables.column(column)} IS NULL" for column in columns)
    return _number(tables, table, f"SELECT count(*) FROM {tables.name(table)} WHERE {any_null}")  # noqa: S608


def orphans(tables: Tables, child: Endpoint) -> dict[str, int]:
    """Return the number of rows by parent id, for ids that the parent's table does not have."""
    table, parent = child.name, str(child.parent)
    if not tables.has(parent):
        return {}
    key, field = tables.column(str(child.parent_param)), tables.column(child.parent_field)
    ids = f"SELECT CAST({field} AS VARCHAR) FROM {tables.name(parent)}"  # noqa: S608 - our names
    query = f"SELECT {key}, count(*) FROM {tables.name(table)} WHERE {key} NOT IN ({ids})"  # noqa: S608
    return dict(tables.select(table, f"{query} GROUP BY {key}"))


def _number(tables: Tables, table: str, query: str) -> int:
    return sum(int(count) for (count,) in tables.select(table, query))
