"""Reads the heads of lists in parallel, as `ListReader` reads whole lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.head import End, Head
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.reader import read_list
from sync_assets.sources.rest.extract.reading import Reading
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey


class HeadReader(ListReader):
    """Reads the heads of lists; the other rows of these lists stay in the warehouse.

    `inconclusive` are the lists whose head does not say what is new: they have to be swept.
    """

    replaces: ClassVar[bool] = False

    def __init__(
        self,
        account: Account,
        parents: Mapping[str, Sequence[str]],
        result: SyncResult,
        heads: Mapping[ListKey, Head],
        done: Iterable[ListKey],
    ) -> None:
        super().__init__(account, parents, result, done)
        self.inconclusive: set[ListKey] = set()
        self._heads = heads

    def _fill(self, endpoint: Endpoint, spool: Spool) -> bool:
        listing, sent = spool.listing, self.connection.endpoints[endpoint.name]
        listing.is_head = True
        head = self._heads[listing.key]
        end = read_list(Reading(self.connection, sent, spool, self.result, head=head))
        spool.close()
        if end is End.OF_HEAD and not listing.problems:
            return True
        self.inconclusive.add(listing.key)
        why = {
            End.OF_HEAD: "a record cannot be loaded as declared",
            End.OF_LIST: "the list ends before a page without news",
            End.TOO_FAR: f"no page without news among the first {listing.pages}",
        }[end]
        self.result.observer.say(f"{listing.name}: {why}; the list is due for a sweep")
        return False
