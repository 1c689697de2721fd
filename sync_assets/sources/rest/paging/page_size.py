"""Decides how many rows a page is requested with, as far as an API accepts that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from threading import RLock

from sync_assets.base import times
from sync_assets.base.times import parse_time

#: How long an API is not asked again for what it refused; its vendor may come to allow it.
TRY_AGAIN = timedelta(days=7)


@dataclass(frozen=True)
class PageSize:
    """The page size of a resource, in rows.

    `wanted` is the size in the declaration or configuration, `limit` the one that is sent; None
    means no limit. `overlaps` says whether other limits are sent too, so that pages overlap.
    `since` (ISO 8601) is when the API first did not accept what is wanted.
    """

    wanted: int | None = None
    limit: int | None = None
    overlaps: bool = True
    since: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the API accepts what is wanted."""
        return self.limit == self.wanted and self.overlaps

    def without_limit(self) -> PageSize:
        """Return the page size for an API that refused the first page."""
        return self._from_now_on(limit=None, overlaps=self.overlaps)

    def without_overlap(self) -> PageSize:
        """Return the page size for an API that sends pages of only one size."""
        return self._from_now_on(limit=self.limit, overlaps=False)

    def lowered(self, rows: int | None) -> PageSize:
        """Return the page size for pages that came with fewer rows; itself if they did not."""
        if rows is None or self.limit is None or rows >= self.limit:
            return self
        return self._from_now_on(limit=rows, overlaps=self.overlaps)

    def _from_now_on(self, *, limit: int | None, overlaps: bool) -> PageSize:
        now = times.now().isoformat()
        return replace(self, limit=limit, overlaps=overlaps, since=self.since or now)

    def __str__(self) -> str:
        """Return how lists are read now, as messages say it."""
        if self.limit == self.wanted:
            return "reading pages as the links say"
        return "reading pages" + (f" of {self.limit} rows" if self.limit else " without a limit")

    def text(self) -> str | None:
        """Return the text to store; None if the API accepts what is wanted."""
        return None if self.is_taken else json.dumps(asdict(self))


def page_size_of(text: str | None) -> PageSize | None:
    """Return the page size that an earlier sync stored."""
    return PageSize(**json.loads(text)) if text else None


class PageSizes:
    """The page sizes of an account's resources during one sync."""

    def __init__(self, wanted: int | None) -> None:
        self.wanted = wanted
        self._sizes: dict[str, PageSize] = {}
        self._rows: dict[str, int] = {}
        self._lock = RLock()

    def remember(self, sizes: Iterable[tuple[str, PageSize]], rows: Mapping[str, int]) -> None:
        """Take over what earlier syncs saw, except what is old or belongs to another wanted size.

        `rows` are the rows of full pages, by resource.
        """
        now = times.now()
        with self._lock:
            self._rows.update(rows)
            for resource, size in sizes:
                at = times.known(parse_time(size.since), now)
                if size.wanted == self.wanted and now - at < TRY_AGAIN:
                    self._sizes[resource] = size

    def of(self, resource: str) -> PageSize:
        """Return the page size to request for a resource now.

        If pages of another resource come in only one size, the same is assumed for this one.
        """
        with self._lock:
            if resource in self._sizes:
                return self._sizes[resource]
            plain = (size.since for size in self._sizes.values() if not size.overlaps)
            since = next(plain, None)
        return PageSize(self.wanted, self.wanted, since is None, since)

    def learn(self, resource: str, size: PageSize) -> bool:
        """Use this size from now on, since a list came whole with it; return whether it is new."""
        if size.is_taken:
            return False
        with self._lock:
            known, self._sizes[resource] = self.of(resource), size
        return (size.limit, size.overlaps) != (known.limit, known.overlaps)

    def falls_short(self, resource: str, rows: int) -> bool:
        """Note that pages came with fewer rows than requested; return whether that is new."""
        with self._lock:
            limit = self.of(resource).limit
            is_new = limit is not None and rows < limit and rows != self._rows.get(resource)
            self._rows[resource] = rows
        return is_new
