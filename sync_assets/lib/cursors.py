"""Reads parts of sensor cursors, which may be empty, damaged or of another version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def stored(cursor: str | None) -> dict[str, Any]:
    """Return the object in a cursor; an empty one if there is none."""
    try:
        found = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def items(value: Any) -> list[Any]:
    """Return the items of a list; none if it is not a list."""
    return value if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """Return the texts in a list."""
    return [item for item in items(value) if isinstance(item, str)]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object; an empty one if it is not an object."""
    return value if isinstance(value, dict) else {}


def whole(value: Any) -> int:
    """Return a count; 0 if it is not one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
