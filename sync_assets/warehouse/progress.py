"""Reports the progress of a sync at intervals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.list_state import ListState
from sync_assets.sources.rest.observer import Observer
from sync_assets.warehouse.long_lists import LongLists


class Progress(Observer):
    """Reports the progress of a sync, at most every few seconds; failures at once.

    Sums go to `tally`, everything else to `say`.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        tally: Callable[[str], None] | None = None,
        *,
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say, self._tally, self._every, self._clock = say, tally or say, every, clock
        self._lists = self._rows = self._requests = 0
        self._said = clock()
        self._long, self._lock = LongLists(clock), threading.Lock()

    @property
    def has_begun(self) -> bool:
        """Whether any list was read."""
        return self._lists > 0

    def listing(self, listing: ListResult) -> None:
        """Count a list that is complete or failed."""
        self._lists += 1
        self._rows += listing.rows
        self._requests += listing.requests
        with self._lock:
            self._long.is_over(listing.name)
        if listing.error is not None:
            self._say(f"failed: {listing.error}")
        if self._clock() - self._said >= self._every:
            self.flush()

    def page(self, state: ListState) -> None:
        """Report the progress of long lists, if it is time."""
        with self._lock:
            for line in self._long.page(state):
                self._say(line)

    def say(self, message: str) -> None:
        """Report something else, at once."""
        self._say(message)

    def flush(self) -> None:
        """Report the progress now."""
        self._said = self._clock()
        self._tally(f"{self._lists} lists, {self._rows} rows in {self._requests} requests")
