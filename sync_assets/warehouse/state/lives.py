"""Reads the parents in the warehouse, and until when the rows below each may change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sync_assets.base.times import parse_time
from sync_assets.sources.rest.api import ACTIVITY, Api, Parent
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.life import Life
from sync_assets.sources.rest.records.names import column_name, table_name
from sync_assets.warehouse.tables import Tables


def parents(tables: Tables, api: Api, parent: Parent) -> list[dict[str, Any]]:
    """Return the parents that the last sync found: their id and what says if they are live."""
    latest: dict[str | None, datetime] = {}
    for table, key, column in parent.activity:
        for identity, value in _times(tables, api.endpoints[table_name(table)], key, column):
            when = parse_time(value)
            if when is not None:
                latest[identity] = max(when, latest.get(identity, when))
    return [{**row, ACTIVITY: latest.get(str(row[parent.key]))} for row in _rows(tables, parent)]


def _rows(tables: Tables, parent: Parent) -> Iterable[dict[str, Any]]:
    """Yield the parents, with their columns under the names that the API sends."""
    columns = [column_name(field) for field in parent.columns]
    for row in tables.rows(parent.resource, columns):
        yield dict(zip(parent.columns, row.values(), strict=True))


def _times(
    tables: Tables, endpoint: Endpoint, key: str, column: str
) -> Iterable[tuple[str | None, Any]]:
    """Yield keys and times from two columns, among them the latest time of each key."""
    names = [column_name(key), column_name(column)]
    if endpoint.columns[column]["data_type"] != "json":
        return tables.latest(endpoint.name, *names).items()
    return ((row[names[0]], row[names[1]]) for row in tables.rows(endpoint.name, names))


def lives(tables: Tables, api: Api) -> Mapping[tuple[str, str], Life]:
    """Return the life of each partitioned list, by resource and parent."""
    return {
        (child, str(row[parent.key])): life
        for parent in api.parents
        for row in parents(tables, api, parent)
        for life in [parent.life_of(row)]
        for child in api.children(parent.resource)
    }


def unread(parent: Parent, rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the columns of these parents that could not be read as a date."""
    return frozenset(name for row in rows for name in parent.life_of(row).unread)
