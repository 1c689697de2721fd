"""Collects the result of each list of a sync, and decides what an incomplete list means."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from sync_assets.base.errors import EmptyListError, ListError, brief, rest_ends_at
from sync_assets.sources.rest.extract.parent_rows import PartsRead
from sync_assets.sources.rest.extract.rounds import Round
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.observer import Observer

#: How many problems all lists together keep, and each list in any case.
MOST_PROBLEMS, LEAST_PROBLEMS = 20_000, 10


class SyncResult:
    """The results of the lists of one sync; decides what an incomplete list means.

    A strict result (the default, for plain dlt) raises on the first list that fails or has records
    that cannot be loaded as declared. Otherwise it keeps the failures apart from the complete
    lists. `held` counts the rows of each list in the warehouse; the key without a parent counts
    those of all parents together. `listed` are the ids in complete lists of parents, by resource
    and field, and `parents` are these lists. `parts_read` says for each table in parts which lists
    are left out if the row of their parent has not changed; `unchanged` are the lists left out.
    `round` says which lists a load takes; None means all.
    """

    def __init__(
        self,
        *,
        strict: bool = True,
        held: Mapping[ListKey, int] | None = None,
        allow_empty: bool = False,
        observer: Observer | None = None,
        parts_read: Mapping[str, PartsRead] | None = None,
    ) -> None:
        self.strict = strict
        self.held = held or {}
        self.allow_empty = allow_empty
        self.listed: dict[tuple[str, str], frozenset[str]] = {}
        self.parents: dict[str, ListResult] = {}
        self.listings: dict[ListKey, ListResult] = {}
        self.parts_read = parts_read or {}
        self.unchanged: set[ListKey] = set()
        self.round: Round | None = None
        self.observer = observer or Observer()
        self._problems = 0
        self._lock = threading.Lock()

    def check(self, listing: ListResult) -> None:
        """Refuse a list that must not replace the rows in the warehouse."""
        held = self.held.get(listing.key, 0)
        if held and not listing.rows and not self.allow_empty:
            what = "nothing that can be loaded" if listing.problems else "nothing"
            raise EmptyListError(
                f"{listing.name}: the API lists {what}, the warehouse holds {held} rows. "
                "They are kept; if it is true, sync again with allow_empty."
            )
        if self.strict and listing.problems:
            raise ListError(
                f"{listing.name}: {listing.quarantined} records are not as declared, "
                f"first: {listing.problems[0].reason}"
            )

    def record(self, listing: ListResult, error: BaseException | None = None) -> None:
        """Record the result of a list and report it to the observer."""
        if error is not None:
            listing.error, listing.not_before = brief(error), rest_ends_at(error)
        with self._lock:
            del listing.problems[max(LEAST_PROBLEMS, MOST_PROBLEMS - self._problems) :]
            self._problems += len(listing.problems)
            self.listings[listing.key] = listing
            self.observer.listing(listing)

    def complete(self) -> Iterator[ListResult]:
        """Return the complete lists that the load takes."""
        found = list(self.listings.values())
        return (listing for listing in found if listing.error is None and self.loads(listing))

    def loads(self, listing: ListResult) -> bool:
        """Whether the load takes a list."""
        return self.round is None or listing.key in self.round.taken

    def is_over(self, resource: str) -> bool:
        """Whether all requested lists of a resource are read."""
        return self.round is None or resource not in self.round.pending

    def left_out(self, resource: str) -> list[ListKey]:
        """Return the lists of a table in parts that are not read, as their parent is unchanged."""
        found = list(self.unchanged)  # other threads may add some
        return [key for key in found if key.resource == resource]

    def failed(self) -> list[ListResult]:
        """Return the lists that failed."""
        return [listing for listing in self.listings.values() if listing.error is not None]
