"""The observer of a sync, which gets its progress. The project itself logs nothing."""

from __future__ import annotations

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.list_state import ListState


class Observer:
    """Receives the progress of a sync, from any of its threads. This base class ignores it."""

    def listing(self, listing: ListResult) -> None:
        """Receive a list that is complete or failed."""

    def page(self, state: ListState) -> None:
        """A page of a list was read and another one follows."""

    def say(self, message: str) -> None:
        """Receive one line without secrets: something is waited for, retried or left out."""
