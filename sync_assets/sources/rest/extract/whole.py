"""Combines the lists of a table: its one list, or all the lists below its parents."""

from __future__ import annotations

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult

FIGURES = ("pages", "requests", "retries", "duplicates", "bytes", "waited", "request_seconds")


def whole(journal: SyncResult, endpoint: Endpoint) -> ListResult | None:
    """Return the result of a table; None if only lists below given parents were read.

    The figures are sums over its lists. `rows` are the rows that the table holds now, the old ones
    if a list failed. It has an error only if the parents could not be listed.
    """
    if endpoint.parent is None or ListKey(endpoint.name) in journal.listings:
        return journal.listings.get(ListKey(endpoint.name))
    parents = journal.listings.get(ListKey(endpoint.parent))
    if (endpoint.parent, endpoint.parent_field) not in journal.listed or parents is None:
        return None
    parts = parts_of(journal, endpoint)
    table = ListResult(endpoint.name, read_at=parents.read_at, started=parents.started)
    for part in parts:
        held = journal.held.get(part.key, 0)
        table.rows += part.rows if part.error is None else held
        table.seconds = max(table.seconds, part.started + part.seconds - table.started)
        for name in FIGURES:
            setattr(table, name, getattr(table, name) + getattr(part, name))
        if part.error is None:
            table.problem_counts += part.problem_counts
    return table


def parts_of(journal: SyncResult, endpoint: Endpoint) -> list[ListResult]:
    """Return the lists of a resource that have a parent."""
    return [
        listing
        for listing in journal.listings.values()
        if listing.resource == endpoint.name and listing.parent is not None
    ]


def lists_of(journal: SyncResult, endpoint: Endpoint) -> list[ListResult]:
    """Return what a load takes: lists below parents, and tables without partitions.

    A table of several lists counts once all of them are read.
    """
    lists = [listing for listing in parts_of(journal, endpoint) if journal.loads(listing)]
    if endpoint.partitioned or not journal.is_over(endpoint.name):
        return lists
    table = whole(journal, endpoint)
    is_one_list = ListKey(endpoint.name) in journal.listings
    if table is not None and (not is_one_list or journal.loads(table)):
        lists.append(table)
    return lists
