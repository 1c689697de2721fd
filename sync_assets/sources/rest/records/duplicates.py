"""Records of one list with one key: the same record twice, or two that contradict each other."""

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
    """The rows with some keys, by the key as text, without their nulls."""
    found: dict[str, Row] = {}
    for table in tables:
        at = [i for i, value in enumerate(table[key].to_pylist()) if str(value) in wanted]
        for i in at:
            found[str(table[key][i])] = without_nulls(table.slice(i, 1))
    return found


def without_nulls(table: pa.Table) -> Row:
    """The one row of a table, without its nulls."""
    return {
        name: value
        for name, column in zip(table.column_names, table.columns, strict=True)
        if (value := column[0].as_py()) is not None
    }


def differing(one: Row, other: Row) -> list[str]:
    """The columns in which two rows do not say the same."""
    names = sorted(one.keys() | other.keys())
    return [name for name in names if not _same(one.get(name), other.get(name))]


def conflict(record: str, key: str, columns: list[str], problems: list[Problem]) -> Problem:
    """A record that is not loaded because a row with its key is, which differs in some columns."""
    named = ", ".join(columns[:SHOWN]) + (", ..." if len(columns) > SHOWN else "")
    other = f", with other contents in {named}" if columns else ""
    reasons = [f"not loaded: another record of the list has the key {key}{other}"]
    return Problem(record, "; ".join([*reasons, *(p.reason for p in problems)]), CONFLICT)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a column say the same: fields of an object have no order."""
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    try:
        return _ordered(one) == _ordered(other)
    except (ValueError, RecursionError):
        return False


def _ordered(text: str) -> str:
    return json.dumps(loads(text), sort_keys=True, default=lambda number: {"": str(number)})
