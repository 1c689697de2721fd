"""Reads each list of a sync once; a list is either complete or failed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as StillReading
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import ClassVar

from sync_assets.base.errors import ListError, SyncError
from sync_assets.sources.rest.account import Account, Connection
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.parents import Parents
from sync_assets.sources.rest.extract.reader import read_list
from sync_assets.sources.rest.extract.reading import Reading
from sync_assets.sources.rest.extract.rounds import Round
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.unfinished import Unfinished, waiting
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.records.names import table_name
from sync_assets.sources.rest.records.rows import RowTyper


@dataclass(frozen=True)
class Outcome:
    """A list that was read: its spool, or None if it failed or is not complete yet."""

    spool: Spool | None


NOTHING = Outcome(None)


class ListReader:
    """Reads the lists of one sync of an API, each once, in its own threads.

    The lists in `done` are not read. A round takes the lists that are complete when it ends; the
    others are still read meanwhile.
    """

    replaces: ClassVar[bool] = True
    """Whether what is read of a list takes the place of all its rows."""

    def __init__(
        self,
        account: Account,
        parents: Mapping[str, Sequence[str]],
        result: SyncResult,
        done: Iterable[ListKey] = (),
    ) -> None:
        self.account, self.api, self.result = account, account.api, result
        self.given = {table_name(name): ids for name, ids in parents.items()}
        self.round = Round()
        self._pool: ThreadPoolExecutor | None = None
        self._reads: dict[ListKey, Future[Outcome]] = {}
        self._taken: dict[ListKey, Outcome] = {}
        self._done = set(done)
        self._waiting: dict[ListKey, Path] = {}
        self._parents = Parents(self.api, result)
        self._lock = Lock()

    @property
    def connection(self) -> Connection:
        """The connection, which is made when the first list is read."""
        with self._lock:
            return self.account.connection

    def next_round(self, seconds: float) -> Round:
        """Start a round of so many seconds, once a list that is being read is complete."""
        if self._reads:
            wait(self._reads.values(), return_when=FIRST_COMPLETED)
        self._taken.clear()
        self.round = self.result.round = Round.of(seconds)
        return self.round

    def close(self) -> None:
        """Start no further list; complete lists that are not loaded stay on disk."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def is_done(self, endpoint: Endpoint, parent: str | None) -> bool:
        """Whether an earlier round took the list, or nobody needs it."""
        key = ListKey(endpoint.name, parent)
        return key in self._done or key in self.result.unchanged

    def outcome(self, endpoint: Endpoint, parent: str | None) -> Outcome:
        """Return a list for this round; `NOTHING` if it is not complete when the round ends."""
        try:
            if self.round.closed and ListKey(endpoint.name, parent) not in self.round.taken:
                raise StillReading
            outcome = self._wait(endpoint, parent)
        except StillReading:
            self.round.pending.add(endpoint.name)
            return NOTHING
        self._take(endpoint, parent, outcome)
        return outcome

    def drop(self, listing: ListResult, error: SyncError) -> None:
        """Fail a list that this round has read."""
        with self._lock:
            self._taken[listing.key] = NOTHING
        self.result.record(listing, error)

    def leave(self, lists: Iterable[ListResult]) -> None:
        """Load this round's lists in the next round, except `lists`: nobody needs them any more."""
        unneeded = {listing.key for listing in lists}
        with self._lock:
            for key, outcome in self._taken.items():
                if key not in unneeded:
                    self._done.discard(key)
                    self._reads[key] = Future()
                    self._reads[key].set_result(outcome)
        self.loaded(unneeded)
        for key in unneeded:
            self.result.listings.pop(key, None)

    def loaded(self, keys: Iterable[ListKey]) -> None:
        """Remove the files of lists that are loaded or no longer needed."""
        for key in keys:
            if file := self._waiting.pop(key, None):
                file.unlink(missing_ok=True)

    def below(self, endpoint: Endpoint) -> Sequence[str]:
        """Return the parents whose lists this round reads; none if their own list is incomplete.

        If the list of parents failed, the child's list is recorded as failed, too.
        """
        if self.is_done(endpoint, None):
            return ()
        try:
            parents = self._parent_ids(endpoint)
            if not parents and not endpoint.partitioned:
                self.result.check(ListResult(endpoint.name))
            return [parent for parent in parents if not self.is_done(endpoint, parent)]
        except StillReading:
            self.round.pending.add(endpoint.name)
        except ListError as error:
            if self.result.strict:
                raise
            self.result.record(ListResult(endpoint.name), error)
            self._take(endpoint, None)
        return ()

    def _take(self, endpoint: Endpoint, parent: str | None, outcome: Outcome = NOTHING) -> None:
        key = ListKey(endpoint.name, parent)
        with self._lock:
            self._taken[key] = outcome
            self._done.add(key)
            self.round.taken.add(key)
            self._reads.pop(key, None)

    def _parent_ids(self, endpoint: Endpoint) -> Sequence[str]:
        """Return the ids of a child's parents: those given, or those in the parent's list."""
        parent = str(endpoint.parent)
        if parent in self.given:
            return list(dict.fromkeys(self.given[parent]))
        ids = self._parents.ids(endpoint)
        if ids is None and not self.is_done(self.api.endpoints[parent], None):
            self._wait(self.api.endpoints[parent], None)
            ids = self._parents.ids(endpoint)
        if ids is None:
            raise ListError(f"{endpoint.name}: the list of {parent} could not be read")
        return ids

    def _wait(self, endpoint: Endpoint, parent: str | None) -> Outcome:
        """Wait for a list; raises `StillReading` at the end of the round."""
        key, left = ListKey(endpoint.name, parent), self.round.left()
        workers = self.account.settings.max_concurrency + 2
        with self._lock:
            if key not in self._reads:
                if left == 0:
                    raise StillReading
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(workers, thread_name_prefix=self.api.name)
                self._reads[key] = self._pool.submit(self.read, endpoint, parent)
            future = self._reads[key]
        return future.result(left)

    def taken(self) -> Iterator[Spool]:
        """Return the spools of the complete lists that this round took."""
        return (outcome.spool for outcome in self._taken.values() if outcome.spool is not None)

    def read(self, endpoint: Endpoint, parent: str | None) -> Outcome:
        """Read one list, the unit that a load replaces."""
        listing = ListResult(endpoint.name, parent)
        listing.parent_row = self._parents.digest(listing.key)
        spool = Spool(RowTyper(endpoint.columns, endpoint.parent_param), endpoint.key, listing)
        try:
            is_whole = self._fill(endpoint, spool)
        except SyncError as error:
            listing.seconds = time.monotonic() - listing.started
            self.result.record(listing, error)
            if self.result.strict:
                raise
            return NOTHING
        if not is_whole:
            return NOTHING
        listing.seconds = time.monotonic() - listing.started
        self.result.record(listing)
        return Outcome(spool)

    def _fill(self, endpoint: Endpoint, spool: Spool) -> bool:
        """Read a list into its spool; return whether the spool can be loaded."""
        sent, kept = self.connection.endpoints[endpoint.name], self._unfinished(endpoint, spool)
        try:
            read_list(Reading(self.connection, sent, spool, self.result, kept))
        except BaseException:
            self._tell(kept, spool.listing)
            kept.close()
            raise
        self._keep(kept, spool.listing)
        spool.close()
        self.result.check(spool.listing)
        self._parents.add(endpoint, spool)  # before the spool is shared
        return True

    def _unfinished(self, endpoint: Endpoint, spool: Spool) -> Unfinished:
        """Return the pages of a list that wait on disk."""
        hours, say = self.account.settings.resume_within, self.result.observer.say
        of = (self.connection.account, endpoint.name, endpoint.path, spool.listing.parent)
        return Unfinished(waiting(of) if hours else None, hours, say)

    def _keep(self, kept: Unfinished, listing: ListResult) -> None:
        """Keep the pages of a complete list until it is loaded; plain dlt never reports that."""
        if self.result.strict:
            kept.remove()
        elif file := kept.close():
            self._waiting[listing.key] = file

    def _tell(self, kept: Unfinished, listing: ListResult) -> None:
        if kept.until is not None:
            until = f"{kept.until:%Y-%m-%d %H:%M} UTC"
            self.result.observer.say(
                f"{listing.name}: the pages that were read wait on disk until {until}; the next "
                "sync goes on with them"
            )
