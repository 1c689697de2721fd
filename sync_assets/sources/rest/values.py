"""From JSON values to arrow columns: each value as its column declares it, or a reason why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa

from sync_assets.sources.rest.body import json_kind

ARROW = {"text": pa.string(), "bigint": pa.int64(), "bool": pa.bool_(), "double": pa.float64(),
         "json": pa.string()}  # fmt: skip
FAITHFUL: dict[str, set[type]] = {
    "text": {str, type(None)},
    "bigint": {int, type(None)},
    "bool": {bool, type(None)},
    "double": {float, type(None)},
}
INT64 = 2**63
NULL = "\0"


def to_json(value: Any) -> str:
    """Compact JSON; characters stay readable where they are valid unicode."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if _is_unicode(text) else json.dumps(value, separators=(",", ":"), default=str)


def typed(name: str, data_type: str, values: list[Any], wrong: dict[int, list[str]]) -> pa.Array:
    """A column of values; those that do not fit are null, and `wrong` says why by row."""
    if data_type != "json" and set(map(type, values)) <= FAITHFUL[data_type]:
        try:
            array = pa.array(values, ARROW[data_type])
            if data_type != "text" or not _holds_null_character(array):
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


def text_of(value: Any) -> str | None:
    """Text as it is, anything else as JSON."""
    return value if value is None or isinstance(value, str) else to_json(value)


def _holds_null_character(array: pa.Array) -> bool:
    _, _, characters = array.buffers()
    return characters is not None and NULL.encode() in characters.to_pybytes()


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(_shown(value))
    if isinstance(value, str) and not _is_unicode(value):
        raise ValueError(f"{value!r}, which is not valid UTF-8")
    if isinstance(value, str) and NULL in value:
        raise ValueError(f"{value!r}: no server takes a null character")
    return str(value)


def _as_bigint(value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -INT64 <= value < INT64:
        raise ValueError(_shown(value))
    return value


def _as_double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 2**1000:
        raise ValueError(_shown(value))
    if float(value) != value:
        raise ValueError(f"{value}, which no double holds exactly")
    return float(value)


def _as_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_shown(value))
    return value


def _as_json(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # an integer of more than 64 bits, or what no JSON can hold
        text = _as_any_json(value)
    if "\\u0000" in text and "\\u0000" in text.replace("\\\\", ""):
        raise ValueError("text with a null character, which no server takes")
    return text


def _as_any_json(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:
        raise ValueError("a value with a number that JSON does not know") from None
    if not _is_unicode(text):
        raise ValueError("text which is not valid UTF-8")
    return text


def _shown(value: Any) -> str:
    text = to_json(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({json_kind(value)})"


CONVERT: dict[str, Callable[[Any], Any]] = {
    "text": _as_text,
    "bigint": _as_bigint,
    "double": _as_double,
    "bool": _as_bool,
    "json": _as_json,
}
