"""Checks that the pages of a list belong together: each by itself, and beside the page before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sync_assets.base.errors import TornError, TransientError
from sync_assets.sources.rest.paging.claims import Claims
from sync_assets.sources.rest.paging.steps import same


@dataclass(frozen=True)
class Sign:
    """What the paginator derives from a page.

    `goes_on` is None if it cannot tell yet; `said` says whether the body names the next page or
    the end. `container` is the object that should do so, `lacked` whether the body has none, and
    `required` whether it must. `claims` is what the envelope says beside that.
    """

    goes_on: bool | None
    said: bool = False
    container: str = ""
    lacked: bool = False
    required: bool = False
    claims: Claims = field(default_factory=Claims)


class Walk:
    """One way through a list from its first page to its last.

    `keyed` says that each page begins after a record, so inserts and deletes do not move it.
    `full` is the row count of the latest page that is not the last; `fewer` is the smallest count
    of such a page if the first page had more.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.keyed = False
        self.pages = self.rows = self._first = 0
        self.full: int | None = None
        self.fewer: int | None = None
        self._moved = self._is_seam = False
        self._page: Sequence[Any] = ()
        self._claims = self._before = Claims()

    @property
    def total(self) -> int | None:
        """The number of rows that the API counts in the list, according to its latest page."""
        return self._claims.total

    def check(self, body: dict[str, Any], rows: Sequence[Any], sign: Sign, asked: str) -> None:
        """Raise `TransientError` if a page contradicts itself; asking for it again may help.

        `asked` is the query string that requested it.
        """
        claims = sign.claims
        if sign.goes_on is False and (more := self._more(claims, sign, asked)):
            raise TransientError(f"the body says that there is more, but not where: {more}")
        gone = self._before.places - claims.places - ({sign.container} if sign.goes_on else set())
        if gone:
            raise TransientError(f"the page before had {min(gone)!r}, this one has not")
        limit = dict(parse_qsl(asked)).get("limit", "")
        full = limit.isdecimal() and len(rows) >= int(limit)
        if rows and sign.goes_on is False and sign.lacked and (sign.required or full):
            keys = sorted(body)[:8]
            raise TransientError(f"no {sign.container!r} says whether there is more; keys: {keys}")
        if claims.on_page not in (None, len(rows)):
            raise TransientError(f"the body counts {claims.on_page} on this page, {len(rows)} came")
        self._check_number(claims)
        self._check_size(claims, len(rows), short=sign.goes_on is True and sign.said)
        self._claims = claims

    def cross_seam(self, page: Sequence[Any], claims: Claims) -> None:
        """Let the next page join `page` instead of the last one; none if that was proven before."""
        self._moved, self._is_seam = True, not page
        self._page, self._before = page, claims

    def turn(self, page: Sequence[Any], overlap: int, *, goes_on: bool) -> None:
        """Raise `TornError` unless a page joins the one before and, at the end, all rows came.

        `overlap` is the number of its rows that were read before.
        """
        rows = self.rows + len(page) - overlap
        if goes_on and not overlap:
            self._note_size(len(page))
        if self.pages and not self._is_seam:
            self._check_seam(page)
        self._is_seam = False
        if not goes_on:
            self._check_whole(len(page), rows)
        self.pages, self.rows = self.pages + 1, rows
        self._before, self._page = self._claims, page

    def _note_size(self, rows: int) -> None:
        self.full, self._first = rows, self._first or rows
        if 0 < rows < min(self._first, self.fewer or self._first):
            self.fewer = rows

    def _more(self, claims: Claims, sign: Sign, asked: str) -> str:
        """Return the signs of a further page; a cursor that led to this page is not one."""
        more = list(claims.more)
        if claims.pages is not None and claims.pages > self.pages + 1:
            more.append(f"this is page {self.pages + 1} of {claims.pages}")
        if not sign.said:
            echoed = {value for _, value in parse_qsl(asked)}
            more += [f"{at} is set" for at, value in claims.cursors.items() if value not in echoed]
        return ", ".join(more)

    def _check_number(self, claims: Claims) -> None:
        if claims.current is not None and self._before.current is not None:
            expected = self._before.current + 1
            if claims.current != expected:
                raise TransientError(f"page {expected} was asked for, page {claims.current} came")

    def _check_size(self, claims: Claims, rows: int, *, short: bool) -> None:
        size = claims.per_page
        if size and (rows > size or (short and rows < size)):
            raise TransientError(f"the body says that a page has {size} rows, {rows} came")

    def _check_seam(self, page: Sequence[Any]) -> None:
        """Raise if rows moved: the list has another size, and no row of the last page came again.

        Any row of the page before proves that no row behind it was skipped.
        """
        before, now = self._before, self._claims
        if before.per_page != now.per_page and before.per_page and now.per_page and not self.keyed:
            raise TornError(f"a page had {before.per_page} rows, the next one {now.per_page}")
        for what, was, size in (
            ("number of rows", before.total, now.total),
            ("number of pages", before.pages, now.pages),
        ):
            if was is not None and size is not None and was != size:
                self._moved = True
                if not self.keyed and not self._overlaps(page):
                    raise TornError(f"the {what} went from {was} to {size} between two pages")

    def _overlaps(self, page: Sequence[Any]) -> bool:
        return any(same(row, known, self.key) for known in self._page for row in page)

    def _check_whole(self, on_page: int, rows: int) -> None:
        claims = self._claims
        if claims.more:
            raise TornError(f"the list ends, though {', '.join(claims.more)}")
        if self.keyed and self._moved:
            return
        total = self._before.total if claims.total is None else claims.total
        if total not in (None, rows):
            raise TornError(f"the API counts {total} rows and sent {rows}")
        if claims.count not in (None, on_page, rows, self.pages + 1):
            raise TornError(f"the API counts {claims.count} and sent {rows} rows")
