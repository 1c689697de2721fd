"""Who watches a sync. The project itself logs nothing: it tells an observer."""

from __future__ import annotations

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.list_state import ListState


class Observer:
    """Hears of a sync, from any of its threads; by itself it does nothing."""

    def listing(self, listing: ListResult) -> None:
        """A list is complete or failed."""

    def page(self, state: ListState) -> None:
        """A page of a list was read and another one follows."""

    def say(self, message: str) -> None:
        """Something is waited for, tried again or left out: one line, without secrets."""
