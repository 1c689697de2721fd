"""Naming the first of many things, and how many there are beyond."""

from __future__ import annotations

from collections.abc import Sequence


def some(items: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first `most` items and the number of the others: `a, b and 3 more`."""
    more = len(items) - most
    if more <= 0:
        return separator.join(items)
    joint = " " if separator == ", " else separator
    return f"{separator.join(items[:most])}{joint}and {more:,} more"
