"""Progress in plain words, at a steady and quiet pace."""

from __future__ import annotations

import time
from collections.abc import Callable

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.observer import Observer


class Progress(Observer):
    """Says how far a sync is, at most every few seconds; failures at once."""

    def __init__(self, say: Callable[[str], None], *, every: float = 10.0) -> None:
        self._say, self._every = say, every
        self._lists = self._rows = self._requests = 0
        self._said = time.monotonic()

    @property
    def has_begun(self) -> bool:
        """Whether any list was read."""
        return self._lists > 0

    def listing(self, listing: ListResult) -> None:
        """Count a list that is complete or failed."""
        self._lists += 1
        self._rows += listing.rows
        self._requests += listing.requests
        if listing.error is not None:
            self._say(f"failed: {listing.error}")
        if time.monotonic() - self._said >= self._every:
            self.flush()

    def say(self, message: str) -> None:
        """Say something else, at once."""
        self._say(message)

    def flush(self) -> None:
        """Say how far it is now."""
        self._said = time.monotonic()
        self._say(f"{self._lists} lists, {self._rows} rows in {self._requests} requests")
