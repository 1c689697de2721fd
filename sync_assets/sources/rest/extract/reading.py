"""What each step of reading a list needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync_assets.base.errors import ListError
from sync_assets.sources.rest.account import Connection
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.head import Head
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.unfinished import Unfinished
from sync_assets.sources.rest.http.session import address
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.list_state import ListState
from sync_assets.sources.rest.paging.walk import Walk


@dataclass(frozen=True)
class Reading:
    """One list while it is read: the connection, the spool, and its pages on disk.

    With a `head`, only the pages of the head are read.
    """

    connection: Connection
    endpoint: Endpoint
    spool: Spool
    result: SyncResult
    kept: Unfinished = field(default_factory=Unfinished)
    head: Head | None = None

    @property
    def listing(self) -> ListResult:
        """The figures of the list."""
        return self.spool.listing

    def say(self, what: str) -> None:
        """Report a message about the list to the observer."""
        self.result.observer.say(f"{self.listing.name}: {what}")

    def tell(self, walk: Walk) -> None:
        """Report the progress of the list to the observer."""
        limiter, listing = self.connection.adapter.rate_limiter, self.listing
        held = self.result.held.get(listing.key)
        expected = held if walk.total is None else walk.total
        state = ListState(
            listing.name, listing.pages, walk.rows, expected, limiter.quota, limiter.free
        )
        self.result.observer.page(state)

    def failed(self, walk: Walk, cause: str) -> ListError:
        """Return the error of the list, with page, URL and cause."""
        url = address(self.connection.base_url) + self.endpoint.path
        return ListError(f"{self.listing.name}, page {walk.pages + 1} of {url}: {cause}")
