"""The lists of one sync: each is read once, and is complete or failed, never in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from sync_assets.sources.rest.api import Api, Connection
from sync_assets.sources.rest.endpoints import Endpoint
from sync_assets.sources.rest.errors import ListError, SyncError
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.reader import read_list
from sync_assets.sources.rest.rows import RowTyper
from sync_assets.sources.rest.spool import Spool


@dataclass(frozen=True)
class Outcome:
    """A list that was read: its spool, or None where it failed."""

    spool: Spool | None


class Lists:
    """The lists of one sync of an API; a parent's list is read once, whoever needs it."""

    def __init__(
        self,
        api: Api,
        connect: Callable[[], Connection],
        parents: Mapping[str, Sequence[str]],
        journal: Journal,
    ) -> None:
        self.api, self.journal, self.given = api, journal, parents
        self._connect = connect
        self._connection: Connection | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._ids: dict[tuple[str, str], list[str]] = {}
        self._needed = {(e.parent, e.parent_field) for e in api.endpoints.values()}
        self._locks = {name: Lock() for name in [*api.endpoints, ""]}

    @property
    def connection(self) -> Connection:
        """The connection, made when the first list is read."""
        with self._locks[""]:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    def parents(self, endpoint: Endpoint) -> Sequence[str]:
        """The ids of a child's parents: given, or those that the parent's list holds."""
        parent = str(endpoint.parent)
        if parent in self.given:
            return list(dict.fromkeys(self.given[parent]))
        if self.table(self.api.endpoints[parent]).spool is None:
            raise ListError(f"{endpoint.name}: the list of {parent} could not be read")
        return self._ids[parent, endpoint.parent_field]

    def below(self, endpoint: Endpoint) -> Sequence[str]:
        """The parents to read below: none where their list failed, which fails this one too."""
        try:
            parents = self.parents(endpoint)
            if not parents and not endpoint.partitioned:
                self.journal.check(Listing(endpoint.name))
            return parents
        except ListError as error:
            if self.journal.strict:
                raise
            self.journal.record(Listing(endpoint.name), error)
            return ()

    def table(self, endpoint: Endpoint) -> Outcome:
        """All rows of a resource that is one list, read once."""
        with self._locks[endpoint.name]:
            if endpoint.name not in self._outcomes:
                outcome = self.read(endpoint, None)
                for parent, field in self._needed:
                    if outcome.spool is not None and endpoint.name == parent:
                        ids = list(dict.fromkeys(outcome.spool.column(field)))
                        self._ids[parent, field] = ids  # before the spool is shared
                        self.journal.listed[parent, field] = frozenset(ids)
                self._outcomes[endpoint.name] = outcome
            return self._outcomes[endpoint.name]

    def read(self, endpoint: Endpoint, parent: str | None) -> Outcome:
        """Read a list: what is replaced as one."""
        listing = Listing(endpoint.name, parent)
        spool = Spool(RowTyper(endpoint.columns, endpoint.parent_param), endpoint.key, listing)
        try:
            sent = self.connection.endpoints[endpoint.name]
            read_list(self.connection, sent, parent, spool, self.journal)
            spool.close()
            self.journal.check(listing)
        except SyncError as error:
            listing.seconds = time.monotonic() - listing.started
            self.journal.record(listing, error)
            if self.journal.strict:
                raise
            return Outcome(None)
        listing.seconds = time.monotonic() - listing.started
        self.journal.record(listing)
        return Outcome(spool)
