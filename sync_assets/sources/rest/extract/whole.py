"""A table as a whole: its one list, or all the lists below the parents that its rows belong to."""

from __future__ import annotations

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult

FIGURES = ("pages", "requests", "retries", "duplicates", "bytes", "waited", "request_seconds")


def whole(journal: SyncResult, endpoint: Endpoint) -> ListResult | None:
    """What became of a table in a sync; None where lists below given parents were read alone.

    Its figures are the sums of its lists'; `rows` are those that it holds now, below a parent whose
    list failed the old ones. It has an error only where nobody knows what its lists are.
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
    """The lists of a resource below parents."""
    return [
        listing
        for listing in journal.listings.values()
        if listing.resource == endpoint.name and listing.parent is not None
    ]


def lists_of(journal: SyncResult, endpoint: Endpoint) -> list[ListResult]:
    """What a load takes, one by one: lists below parents, and a table that is not partitioned.

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
