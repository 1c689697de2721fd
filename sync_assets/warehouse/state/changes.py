"""Counts what a sweep finds that the warehouse did not have, and what heads would have missed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, count

import pyarrow.compute as pc

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.warehouse.state.held_keys import held_keys
from sync_assets.warehouse.tables import Tables


def compare_with_held(tables: Tables, lists: ListReader) -> None:
    """Count what complete lists add to the warehouse and take from it, before they are loaded.

    Not of short lists below parents, of which there are many: it takes a query each.
    """
    shortest = lists.account.settings.heads_from_pages
    for spool in lists.taken():
        listing = spool.listing
        if listing.parent is None or listing.pages >= shortest:
            _compare(tables, lists.api.endpoints[listing.resource], spool)


def _compare(tables: Tables, endpoint: Endpoint, spool: Spool) -> None:
    listing, held = spool.listing, held_keys(tables, endpoint, spool.listing.parent)
    if not len(held):
        listing.rows_added, listing.rows_deleted, listing.missed_by_heads = listing.rows, 0, 0
        return
    new = pc.indices_nonzero(pc.invert(pc.is_in(spool.keys(), value_set=held)))
    listing.rows_added = len(new)
    listing.rows_deleted = len(held) - (listing.rows - len(new))
    listing.missed_by_heads = _missed(new.to_pylist(), listing.page_rows)


def _missed(new: Sequence[int], page_rows: Sequence[int]) -> int:
    """Return how many new rows are behind the first page without a new row, where a head ends."""
    ends = list(accumulate(page_rows))
    pages = [bisect_right(ends, position) for position in new]
    with_news = set(pages)
    end = next(page for page in count() if page not in with_news)
    return sum(page > end for page in pages)
