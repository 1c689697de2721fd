"""An observer of a sync that hands on what it hears."""

from __future__ import annotations

from collections.abc import Callable

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.observer import Observer


class Hearing(Observer):
    """Calls functions of a test with what it hears."""

    def __init__(
        self,
        say: Callable[[str], object] | None = None,
        listing: Callable[[ListResult], object] | None = None,
    ) -> None:
        self._say, self._listing = say, listing

    def listing(self, listing: ListResult) -> None:
        """Hand a list on."""
        if self._listing is not None:
            self._listing(listing)

    def say(self, message: str) -> None:
        """Hand a message on."""
        if self._say is not None:
            self._say(message)
