"""Counts what a sweep finds that the warehouse did not have, and what heads would have missed."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, count
from typing import Any

import pyarrow.compute as pc

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.warehouse.state.held_keys import held_keys, key_column
from sync_assets.warehouse.state.list_history import SYNCS_TABLE
from sync_assets.warehouse.state.quarantine import LIST_COLUMN, scope
from sync_assets.warehouse.tables import Tables

#: Lists of a table in parts that one query compares.
TOGETHER = 50


def compare_with_held(tables: Tables, lists: ListReader) -> None:
    """Count the rows that complete lists add and delete, before they are loaded.

    Short lists below partitions are not compared: there are many, and each would take a query.
    """
    shortest = lists.account.settings.heads_from_pages
    parts: dict[str, list[Spool]] = defaultdict(list)
    for spool in lists.taken():
        listing, endpoint = spool.listing, lists.api.endpoints[spool.listing.resource]
        if endpoint.in_parts:
            parts[endpoint.name].append(spool)
        elif listing.parent is None or listing.pages >= shortest:
            _compare(tables, endpoint, spool)
    for name, spools in parts.items():
        for start in range(0, len(spools), TOGETHER):
            _compare_parts(tables, lists.api.endpoints[name], spools[start : start + TOGETHER])


def _compare(tables: Tables, endpoint: Endpoint, spool: Spool) -> None:
    listing, held = spool.listing, held_keys(tables, endpoint, spool.listing.parent)
    if not len(held):
        listing.rows_added, listing.rows_deleted, listing.missed_by_heads = listing.rows, 0, 0
        return
    new = pc.indices_nonzero(pc.invert(pc.is_in(spool.keys(), value_set=held)))
    listing.rows_added = len(new)
    listing.rows_deleted = len(held) - (listing.rows - len(new))
    listing.missed_by_heads = _missed(new.to_pylist(), listing.page_rows)


def _compare_parts(tables: Tables, endpoint: Endpoint, spools: Sequence[Spool]) -> None:
    """Compare lists of a table in parts; heads miss new rows below a parent that did not change."""
    parent, key = str(endpoint.parent_param), key_column(endpoint)
    scopes = {scope(spool.listing): spool for spool in spools}
    held: dict[str, set[Any]] = defaultdict(set)
    where = (parent, [spool.listing.parent for spool in spools])
    for row in tables.rows(endpoint.name, [parent, key], where):
        held[row[parent]].add(row[key])
    for spool in spools:
        listing, known = spool.listing, held[str(spool.listing.parent)]
        listing.rows_added = sum(one not in known for one in spool.keys().to_pylist())
        listing.rows_deleted = len(known) + listing.rows_added - listing.rows
        listing.missed_by_heads = 0
    columns = [LIST_COLUMN, "parent_row"]
    for row in tables.rows(SYNCS_TABLE, columns, (LIST_COLUMN, list(scopes))):
        listing = scopes[row[LIST_COLUMN]].listing
        if row["parent_row"] is not None and row["parent_row"] == listing.parent_row:
            listing.missed_by_heads = listing.rows_added


def _missed(new: Sequence[int], page_rows: Sequence[int]) -> int:
    """Return how many new rows are behind the first page without a new row, where a head ends."""
    ends = list(accumulate(page_rows))
    pages = [bisect_right(ends, position) for position in new]
    with_news = set(pages)
    end = next(page for page in count() if page not in with_news)
    return sum(page > end for page in pages)
