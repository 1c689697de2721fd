"""Requests each page one row early if a cursor is an offset; so it proves that no row was skipped.

If rows in front of an offset are deleted, the others move forward, and as many are skipped. A page
that is requested one row early holds the last row of the page before, unless rows moved.
"""

from __future__ import annotations

from typing import Any

from sync_assets.base.errors import TornError

SMALLEST_PAGE = 3
"""Rows; on a page of two an offset and a page number look alike, of one no row would be new."""


class Steps:
    """The way through one list by a cursor whose meaning the API does not document.

    A first cursor that equals the number of rows on the first page (or is one more, if rows count
    from one) may be an offset. Then the next page is requested one row early. If it holds the last
    row, the cursor is an offset. If not, the page is requested by the original cursor. If that is
    the early page with one more row in front, the cursor is no offset; otherwise the list moved.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.stepped = False
        self._proven = False
        self._rows: list[Any] | None = None
        self._early: list[Any] | None = None
        self._cursor: Any = None

    def cross_seam(self, rows: list[Any]) -> None:
        """Let the next page join these rows, not those of the last page; any if there are none."""
        self._rows, self._early = rows or None, None

    def turn(self, rows: list[Any], cursor: Any) -> tuple[list[Any] | None, Any]:
        """Take a page and the cursor that it names; return its new rows and the cursor to request.

        The new rows exclude the one shared with the page before. They are None if another page has
        to replace this one.
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
        """Require a page that proves that the cursor is no offset."""
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
    """Whether two records have the same key, or are equal if they have none."""
    if isinstance(one, dict) and isinstance(other, dict) and one.get(key) is not None:
        return str(one[key]) == str(other.get(key))
    return bool(one == other)


def _whole(cursor: Any) -> int | None:
    if isinstance(cursor, str) and cursor.isascii() and cursor.isdigit():
        return int(cursor)
    return cursor if isinstance(cursor, int) else None
