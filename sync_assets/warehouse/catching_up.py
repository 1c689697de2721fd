"""Reads the first pages of a swept list again if heads were loaded meanwhile; so none is lost."""

from __future__ import annotations

from collections.abc import Sequence

import dlt

from sync_assets.base import times
from sync_assets.base.errors import SyncError
from sync_assets.base.times import known, parse_time
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.renewal import renew
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.warehouse.rounds import extract
from sync_assets.warehouse.state.list_history import SYNCS_TABLE
from sync_assets.warehouse.state.quarantine import LIST_COLUMN, scope
from sync_assets.warehouse.tables import Tables


def behind(tables: Tables, lists: ListReader) -> list[tuple[Spool, int]]:
    """Return the complete lists for which a head was loaded since they began, and its pages."""
    read = {
        scope(spool.listing): spool
        for spool in lists.taken()
        if spool.listing.resource not in lists.api.without_heads
    }
    columns = [LIST_COLUMN, "fresh_at", "head_pages"]
    found = []
    for row in tables.rows(SYNCS_TABLE, columns, (LIST_COLUMN, list(read))):
        spool = read[row[LIST_COLUMN]]
        listing = spool.listing
        last = listing.renewed_at or listing.read_at
        if known(parse_time(row["fresh_at"]), times.now()) > last:
            found.append((spool, row["head_pages"] or 0))
    return found


def catch_up(pipeline: dlt.Pipeline, lists: ListReader, late: Sequence[tuple[Spool, int]]) -> None:
    """Read the first pages of some lists again, and prepare the round anew.

    The caller holds the locks of the lists, so no head is loaded meanwhile. If a list cannot be
    read, it fails.
    """
    for spool, pages in late:
        listing = spool.listing
        lists.result.observer.say(
            f"{listing.name}: a head was loaded while it was read; reading its first pages again"
        )
        try:
            renew(lists.connection, spool, pages, lists.result)
        except SyncError as error:
            lists.drop(listing, error)
    lists.round.closed = True
    lists.leave([])
    pipeline.abort_packages()
    extract(pipeline, lists, lists.round.extracted)
