"""Records of one list with the same key: equal ones, or two that differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from sync_assets.sources.rest.list_result import CONFLICT, Problem
from sync_assets.sources.rest.records.numbers import loads

Row = dict[str, Any]
SHOWN = 5


def rows_by_key(tables: Iterable[pa.Table], key: str, wanted: set[str]) -> dict[str, Row]:
    """Return the rows with some keys by the key as text, without nulls."""
    found: dict[str, Row] = {}
    for table in tables:
        at = [i for i, value in enumerate(table[key].to_pylist()) if str(value) in wanted]
        for i in at:
            found[str(table[key][i])] = without_nulls(table.slice(i, 1))
    return found


def without_nulls(table: pa.Table) -> Row:
    """Return the only row of a table without its nulls."""
    return {
        name: value
        for name, column in zip(table.column_names, table.columns, strict=True)
        if (value := column[0].as_py()) is not None
    }


def differing(one: Row, other: Row) -> list[str]:
    """Return the columns in which two rows differ."""
    names = sorted(one.keys() | other.keys())
    return [name for name in names if not _same(one.get(name), other.get(name))]


def conflict(record: str, key: str, columns: list[str], problems: list[Problem]) -> Problem:
    """Return the problem of a record that is left out because another row has its key."""
    named = ", ".join(columns[:SHOWN]) + (", ..." if len(columns) > SHOWN else "")
    other = f", with other contents in {named}" if columns else ""
    reasons = [f"not loaded: another record of the list has the key {key}{other}"]
    return Problem(record, "; ".join([*reasons, *(p.reason for p in problems)]), CONFLICT)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a column are equal; the order of an object's fields does not count."""
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    try:
        return _ordered(one) == _ordered(other)
    except (ValueError, RecursionError):
        return False


def _ordered(text: str) -> str:
    return json.dumps(loads(text), sort_keys=True, default=lambda number: {"": str(number)})
