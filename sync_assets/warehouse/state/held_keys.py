"""Reads the keys that the warehouse holds of a list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.records.values import ARROW, CONVERT
from sync_assets.warehouse.tables import Tables


def key_column(endpoint: Endpoint) -> str:
    """Return the column that identifies a row below its parent."""
    return str(endpoint.columns[endpoint.key]["name"])


def key_type(endpoint: Endpoint) -> str:
    """Return the declared type of this column."""
    return str(endpoint.columns[endpoint.key]["data_type"])


def below(endpoint: Endpoint, parent: str | None) -> tuple[str, str] | None:
    """Return the column of the parent's id, and the id; None for a list without a parent."""
    return (str(endpoint.parent_param), parent) if parent is not None else None


def held_keys(tables: Tables, endpoint: Endpoint, parent: str | None) -> pa.ChunkedArray:
    """Return the keys of all rows of a list, with the type that they have in its spool."""
    kind = ARROW[key_type(endpoint)]
    parts = tables.values(endpoint.name, key_column(endpoint), below(endpoint, parent))
    return pa.chunked_array([pa.array(part, kind) for part in parts], kind)


def held_among(
    tables: Tables, endpoint: Endpoint, parent: str | None, keys: Collection[str]
) -> set[str]:
    """Return those of `keys` that the warehouse holds of a list, all as text."""
    key = key_column(endpoint)
    return {str(row[key]) for row in rows_of(tables, endpoint, parent, keys, [key])}


def rows_of(
    tables: Tables,
    endpoint: Endpoint,
    parent: str | None,
    keys: Iterable[str],
    columns: Sequence[str],
) -> list[dict[str, Any]]:
    """Return some columns of a list's rows with these keys, which are given as text."""
    convert = CONVERT[key_type(endpoint)]
    where = (key_column(endpoint), [convert(key) for key in keys])
    return tables.rows(endpoint.name, columns, where, below(endpoint, parent))
