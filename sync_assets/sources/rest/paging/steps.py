"""Stepping back one row where a cursor is an offset: then each page proves that it joins the last.

Rows that vanish in front of an offset move the others forward, and as many are skipped. A page that
is asked for one row early holds the last row of the page before, unless they did.
"""

from __future__ import annotations

from typing import Any

from sync_assets.base.errors import TornError

SMALLEST_PAGE = 3
"""Rows; on a page of two an offset and a page number look alike, of one no row would be new."""


class Steps:
    """The way through one list by a cursor whose meaning is seen, not known.

    A first cursor that equals the number of rows on the first page (or is one more, where rows
    count from one) may be an offset. If so, the page that is asked for one row early holds the
    last row. If not, the page is asked for by the cursor as it came: where that is the early page
    with one row more in front, the cursor is no offset, otherwise the list has moved.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.stepped = False
        self._proven = False
        self._rows: list[Any] | None = None
        self._early: list[Any] | None = None
        self._cursor: Any = None

    def cross_seam(self, rows: list[Any]) -> None:
        """Let the next page join another one than the last; none, where there are no rows."""
        self._rows, self._early = rows or None, None

    def turn(self, rows: list[Any], cursor: Any) -> tuple[list[Any] | None, Any]:
        """Take a page and the cursor that it names.

        Gives its rows without the one that it shares with the page before (None where another page
        has to come in its place), and what to ask for next.
        """
        kept = rows
        if self.stepped and self._rows is not None:
            last = self._rows[-1]
            if not any(same(row, last, self.key) for row in rows):
                return None, self._instead_of(rows)
            self._proven = True
            kept = rows[1:] if same(rows[0], last, self.key) else rows
        elif self._early is not None:
            self._refuse_offset(rows, self._early, _whole(cursor))
        number = _whole(cursor)
        self.stepped = number is not None and (self._proven or self._may_be_offset(number, rows))
        self._rows, self._cursor = rows, cursor
        return kept, type(cursor)(number - 1) if number is not None and self.stepped else cursor

    def _instead_of(self, rows: list[Any]) -> Any:
        if self._proven:
            raise TornError("a page does not begin where the page before ends")
        self._early, self.stepped = rows, False
        return self._cursor

    def _refuse_offset(self, rows: list[Any], early: list[Any], number: int | None) -> None:
        """Require a page that only a cursor which is no offset explains."""
        self._early = None
        pairs = zip(rows[1:], early, strict=False)
        joined = len(rows) - len(early) in (0, 1) and len(rows) >= SMALLEST_PAGE
        if not joined or not all(same(row, other, self.key) for row, other in pairs):
            raise TornError("a page does not begin where the page before ends")
        if number is not None and number - len(rows) == _whole(self._cursor):
            raise TornError("a page does not begin where the page before ends")

    def _may_be_offset(self, number: int, rows: list[Any]) -> bool:
        first = self._rows is None
        return first and len(rows) >= SMALLEST_PAGE and number - len(rows) in (0, 1)


def same(one: Any, other: Any, key: str) -> bool:
    """Whether two records have one key, or are equal where they have none."""
    if isinstance(one, dict) and isinstance(other, dict) and one.get(key) is not None:
        return str(one[key]) == str(other.get(key))
    return bool(one == other)


def _whole(cursor: Any) -> int | None:
    if isinstance(cursor, str) and cursor.isascii() and cursor.isdigit():
        return int(cursor)
    return cursor if isinstance(cursor, int) else None
