"""Messages that name the first of many things and count the others."""

from __future__ import annotations

from collections.abc import Sequence


def some(items: Sequence[str], most: int, separator: str = ", ") -> str:
    """Join the first `most` items and say how many more there are: `a, b and 3 more`."""
    more = len(items) - most
    if more <= 0:
        return separator.join(items)
    joint = " " if separator == ", " else separator
    return f"{separator.join(items[:most])}{joint}and {more:,} more"
