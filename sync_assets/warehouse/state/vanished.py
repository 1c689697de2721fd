"""Removes rows below parents that the API no longer lists, and the history of their lists.

For a table that is not partitioned, the next sync does so: nobody else would.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.state.list_history import SYNCS_TABLE
from sync_assets.warehouse.state.quarantine import LIST_COLUMN, QUARANTINE_TABLE, scope
from sync_assets.warehouse.tables import Tables


def vanished(api: Api, resources: Iterable[str], result: SyncResult) -> list[ListResult]:
    """Return the lists whose parents are missing from a complete list of parents.

    Returns none if that list is not believed, or if a parent's record could not be loaded: it
    may be the missing one.
    """
    found = []
    for name in resources:
        endpoint = api.endpoints[name]
        parent = str(endpoint.parent)
        listed = result.listed.get((parent, endpoint.parent_field))
        if endpoint.partitioned or listed is None or not result.is_over(name):
            continue
        if ListKey(name) in result.listings or result.parents[parent].left_out:
            continue
        found += [
            ListResult(name, held)
            for resource, held in result.held
            if resource == name
            and held is not None
            and held not in listed
            and (name, held) not in result.listings
        ]
    return found


def remove(tables: Tables, api: Api, lists: Sequence[ListResult]) -> None:
    """Remove the rows of lists, and their history."""
    for resource in {listing.resource for listing in lists}:
        parents = [str(listing.parent) for listing in lists if listing.resource == resource]
        tables.delete(resource, str(api.endpoints[resource].parent_param), parents)
    forget(tables, lists)


def forget(tables: Tables, lists: Iterable[ListResult]) -> None:
    """Remove the history of lists that no longer exist."""
    names = [scope(listing) for listing in lists]
    for table in (SYNCS_TABLE, QUARANTINE_TABLE):
        if names and tables.counts(table, None):
            tables.delete(table, LIST_COLUMN, names)
