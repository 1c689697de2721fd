"""Decides whether a stored text can be converted to another type without loss."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sync_assets.sources.rest.records.encoding import to_storable_json
from sync_assets.sources.rest.records.numbers import INT64, as_double, loads


def _is_integer(text: str) -> bool:
    return bool(re.fullmatch(r"0|-?[1-9][0-9]{0,18}", text)) and -INT64 <= int(text) < INT64


def _is_number(text: str) -> bool:
    """Whether a text is a number that a double holds with the same value or digits."""
    return type(_parsed(text)) in (int, Decimal) and as_double(text) is not None


def _is_json(text: str) -> bool:
    """Whether a text is JSON that Postgres keeps, too: no duplicate key, NUL or lone surrogate."""
    try:
        return _parsed(text) is not ValueError and bool(to_storable_json(loads(text)))
    except ValueError:
        return False


def _parsed(text: str) -> Any:
    """Parse a JSON text with all digits; return the class `ValueError` if it is invalid."""
    try:
        return json.loads(
            text, parse_constant=_refused, parse_float=Decimal, object_pairs_hook=_distinct
        )
    except (ValueError, ArithmeticError, RecursionError):
        return ValueError


def _refused(name: str) -> None:
    raise ValueError(name)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


#: By type, whether a text can become a value of it that reads the same again.
READS_AS: dict[str, Callable[[str], bool]] = {
    "text": lambda text: True,
    "bigint": _is_integer,
    "double": _is_number,
    "bool": lambda text: text in ("true", "false"),
    "json": _is_json,
}
