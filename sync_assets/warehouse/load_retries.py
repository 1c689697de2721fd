"""Decides how to repeat a load that failed: as it was, or without the lists that prevented it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import dlt

from sync_assets.base import stop
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.rounds import Round
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.errors import TableRefusedError, WarehouseLostError


class Again:
    """The rounds of a sync, each loaded until it succeeds; what was read is not read again.

    A table in `refused` did not accept its rows: its lists of the round fail, and it is left out
    of this load. Later rounds load it again.
    """

    def __init__(
        self, lists: ListReader, pauses: Iterable[float], say: Callable[[str], None]
    ) -> None:
        self.refused: set[str] = set()
        self._lists, self._pauses, self._say = lists, list(pauses), say
        self._failed: set[ListKey] = set()
        self._pending: set[str] = set()

    def next_round(self, seconds: float) -> Round:
        """Start a round; see `ListReader.next_round`."""
        current = self._lists.next_round(seconds)
        current.taken |= self._failed
        current.pending |= self._pending
        return current

    def loads(self, pipeline: dlt.Pipeline, load: Callable[[], list[ListResult]]) -> bool:
        """Load a round; return False if the next round has to take over its lists."""
        try:
            unneeded = load()
        except TableRefusedError as error:
            self._refuse(error)
        except WarehouseLostError as error:
            if not self._pauses:
                raise
            pause = self._pauses.pop(0)
            self._say(f"{error}. What was read is loaded again in {pause:.0f} s.")
            stop.current().wait(pause)
            self._lists.leave([])
        else:
            if not unneeded:
                for done in (self.refused, self._failed, self._pending):
                    done.clear()
                return True
            self._lists.leave(unneeded)
        pipeline.abort_packages()
        return False

    def _refuse(self, error: TableRefusedError) -> None:
        table, result = error.table, self._lists.result
        if table in self.refused or table not in self._lists.api.endpoints:
            raise error
        lists = [listing for listing in result.complete() if listing.resource == table]
        self.refused.add(table)
        self._pending |= {table} & self._lists.round.pending
        self._lists.leave(lists)
        for listing in lists:
            self._failed.add(listing.key)
            message = f"{listing.name}: {error}. It keeps the rows it had; {table} refuses the new"
            remedy = "ones. Change what refuses them, or the records, and sync again."
            result.record(listing, TableRefusedError(f"{message} {remedy}", table))
