"""Cursors of sensors as they may be found: empty, garbage, or of another version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def stored(cursor: str | None) -> dict[str, Any]:
    """The object that a cursor holds; an empty one where it holds none."""
    try:
        found = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def items(value: Any) -> list[Any]:
    """The items of a list; none where it is no list."""
    return value if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [item for item in items(value) if isinstance(item, str)]


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def whole(value: Any) -> int:
    """A number of times; 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
