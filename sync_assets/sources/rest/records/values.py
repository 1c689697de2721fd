"""Converts JSON values to arrow columns, or says why a value does not fit its column.

A value is loaded if the column holds it exactly: an integer in a text column, a whole number in an
integer column, a number that a double holds, or a text that is a number or `true`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from sync_assets.sources.rest.records.encoding import (
    is_unicode,
    json_kind,
    to_json,
    to_storable_json,
    to_true_json,
)
from sync_assets.sources.rest.records.numbers import (
    INT64,
    INTEGER,
    NOT_JSON,
    PLAIN,
    Number,
    as_bigint,
    as_double,
)

#: What a column that nobody declared holds.
UNDECLARED = "text or JSON"
ARROW = {"text": pa.string(), "bigint": pa.int64(), "bool": pa.bool_(), "double": pa.float64(),
         "json": pa.string(), UNDECLARED: pa.string()}  # fmt: skip
TEXTS = {"text", UNDECLARED}
FAITHFUL: dict[str, set[type]] = {
    "text": {str, type(None)},
    "bigint": {int, type(None)},
    "bool": {bool, type(None)},
    "double": {float, type(None)},
    UNDECLARED: {str, type(None)},
}
BOOLEANS = {"true": True, "false": False}
NULL = "\0"
SHOWN = 60


def typed(name: str, data_type: str, values: list[Any], wrong: dict[int, list[str]]) -> pa.Array:
    """Return a column of values; values that do not fit are null and have a reason in `wrong`."""
    if data_type != "json" and set(map(type, values)) <= FAITHFUL[data_type]:
        try:
            array = pa.array(values, ARROW[data_type])
            if data_type not in TEXTS or not _holds_null_character(array):
                return array
        except (OverflowError, UnicodeEncodeError):
            pass  # one of them does not fit: find out which
    convert = CONVERT[data_type]
    fitting: list[Any] = []
    for i, value in enumerate(values):
        try:
            fitting.append(None if value is None else convert(value))
        except ValueError as error:
            fitting.append(None)
            note(wrong, i, f"{name} should be {data_type}, is {error}")
    return pa.array(fitting, ARROW[data_type])


def note(wrong: dict[int, list[str]], i: int, reason: str) -> None:
    """Add a reason to those of a row, once."""
    reasons = wrong.setdefault(i, [])
    if reason not in reasons:
        reasons.append(reason)


def shown(value: Any) -> str:
    """A value as messages quote it, and what JSON calls its type."""
    text = to_json(value)
    return f"{text if len(text) <= SHOWN else text[: SHOWN - 3] + '...'} ({json_kind(value)})"


def _holds_null_character(array: pa.Array) -> bool:
    _, _, characters = array.buffers()
    return characters is not None and NULL.encode() in characters.to_pybytes()


def _as_undeclared(value: Any) -> str:
    return _as_text(value) if isinstance(value, str) else to_true_json(value)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        if not is_unicode(value):
            raise ValueError(f"{value[:SHOWN]!r}, which is not valid UTF-8")
        if NULL in value:
            raise ValueError(f"{value[:SHOWN]!r}: no server takes a null character")
        return value
    if isinstance(value, bool) or not INTEGER.fullmatch(_digits(value)):
        raise ValueError(shown(value))
    return str(value)


def _as_bigint(value: Any) -> int:
    if type(value) is int and -INT64 <= value < INT64:
        return value
    plain = INTEGER.fullmatch(value) and value != "-0" if isinstance(value, str) else True
    whole = as_bigint(_digits(value)) if plain else None
    if whole is None:
        raise ValueError(shown(value))
    return whole


def _as_double(value: Any) -> float:
    if type(value) is float:
        return value
    number = as_double(_digits(value))
    if number is None:
        raise ValueError(f"{shown(value)}, which no double holds exactly")
    return number


def _digits(value: Any) -> str:
    """A number, or a text that is one, as it is written; `ValueError` for anything else."""
    if isinstance(value, str):
        if PLAIN.fullmatch(value):
            return value
    elif isinstance(value, (int, float, Number)) and not isinstance(value, bool):
        text = str(value)
        if text not in NOT_JSON:
            return text
    raise ValueError(shown(value))


def _as_bool(value: Any) -> bool:
    found = BOOLEANS.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError(shown(value))
    return found


CONVERT: dict[str, Callable[[Any], Any]] = {
    "text": _as_text,
    "bigint": _as_bigint,
    "double": _as_double,
    "bool": _as_bool,
    "json": to_storable_json,
    UNDECLARED: _as_undeclared,
}
