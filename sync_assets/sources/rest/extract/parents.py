"""Keeps what the complete lists of parents tell the lists below them."""

from __future__ import annotations

from collections.abc import Sequence

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.parent_rows import digests
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey


class Parents:
    """The ids of the parents of one sync, and digests of their rows."""

    def __init__(self, api: Api, result: SyncResult) -> None:
        self._api, self._result = api, result
        self._needed = {(e.parent, e.parent_field) for e in api.endpoints.values()}
        self._ids: dict[tuple[str, str], list[str]] = {}
        self._digests: dict[ListKey, str] = {}

    def ids(self, endpoint: Endpoint) -> Sequence[str] | None:
        """Return the ids of an endpoint's parents; None while their list is not complete."""
        return self._ids.get((str(endpoint.parent), endpoint.parent_field))

    def digest(self, key: ListKey) -> str | None:
        """Return the digest of the row of a list's parent, for a table in parts."""
        return self._digests.get(key)

    def add(self, endpoint: Endpoint, spool: Spool) -> None:
        """Add a complete list of parents.

        The ids come last: other threads read the lists below as soon as they see them.
        """
        for child in self._api.endpoints.values():
            if child.in_parts and child.parent == endpoint.name:
                self._compare(child, spool)
        for parent, field in self._needed:
            if endpoint.name == parent:
                ids = list(dict.fromkeys(spool.column(field)))
                self._result.listed[parent, field] = frozenset(ids)
                self._result.parents[parent] = spool.listing
                self._ids[parent, field] = ids

    def _compare(self, child: Endpoint, spool: Spool) -> None:
        """Find the lists of a table in parts whose parent has not changed since they were read."""
        read = self._result.parts_read.get(child.name)
        for parent, digest in digests(spool, child.parent_field).items():
            key = ListKey(child.name, parent)
            self._digests[key] = digest
            if read and read.rows.get(parent) == digest:
                self._result.unchanged.add(key)
