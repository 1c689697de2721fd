"""Combines the lists of a table: its one list, or all the lists below its parents."""

from __future__ import annotations

from collections.abc import Sequence

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult

FIGURES = ("pages", "requests", "retries", "duplicates", "bytes", "waited", "request_seconds")


def whole(result: SyncResult, endpoint: Endpoint) -> ListResult | None:
    """Return the result of a table; None if only lists below given parents were read.

    The figures are sums over its lists. `rows` are the rows that the table holds now, the old ones
    if a list failed or was left out. It has an error only if the parents could not be listed. It
    is a head if lists were left out.
    """
    if endpoint.parent is None or ListKey(endpoint.name) in result.listings:
        return result.listings.get(ListKey(endpoint.name))
    parents = result.parents.get(endpoint.parent)
    if parents is None:
        return None
    parts = parts_of(result, endpoint)
    table = ListResult(endpoint.name, read_at=parents.read_at, started=parents.started)
    for part in parts:
        held = result.held.get(part.key, 0)
        table.rows += part.rows if part.error is None else held
        table.seconds = max(table.seconds, part.started + part.seconds - table.started)
        for name in FIGURES:
            setattr(table, name, getattr(table, name) + getattr(part, name))
        if part.error is None:
            table.problem_counts += part.problem_counts
    left = result.left_out(endpoint.name)
    if left:
        table.is_head, table.proven_before = True, result.parts_read[endpoint.name].proven_at
        table.rows += sum(result.held.get(key, 0) for key in left)
    _count_changes(table, parts, result.held.get(table.key, 0))
    return table


def _count_changes(table: ListResult, parts: Sequence[ListResult], held: int) -> None:
    """Add up the changes of the lists of a table, if they were compared with the warehouse."""
    complete = [part for part in parts if part.error is None]
    if any(part.rows_added is None for part in complete):
        return
    table.rows_added = sum(part.rows_added or 0 for part in complete)
    table.rows_deleted = held + table.rows_added - table.rows
    if not table.is_head:
        table.missed_by_heads = sum(part.missed_by_heads or 0 for part in complete)


def parts_of(result: SyncResult, endpoint: Endpoint) -> list[ListResult]:
    """Return the lists of a resource that have a parent."""
    return [
        listing
        for listing in result.listings.values()
        if listing.resource == endpoint.name and listing.parent is not None
    ]


def lists_of(result: SyncResult, endpoint: Endpoint) -> list[ListResult]:
    """Return what a load takes: lists below parents, and tables without partitions.

    A table of several lists counts once all of them are read.
    """
    lists = [listing for listing in parts_of(result, endpoint) if result.loads(listing)]
    if endpoint.partitioned or not result.is_over(endpoint.name):
        return lists
    table = whole(result, endpoint)
    is_one_list = ListKey(endpoint.name) in result.listings
    if table is not None and (not is_one_list or result.loads(table)):
        lists.append(table)
    return lists
