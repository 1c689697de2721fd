"""Compares lists with what other syncs have loaded: an older reading never replaces a newer one.

The page sizes that other syncs have learned are reused, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sync_assets.base import times
from sync_assets.base.times import known, parse_time
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.paging.page_size import PageSizes
from sync_assets.warehouse.state.list_history import SYNCS_TABLE
from sync_assets.warehouse.state.quarantine import LIST_COLUMN, scope
from sync_assets.warehouse.state.syncs import histories
from sync_assets.warehouse.tables import Tables


def outdated(
    tables: Tables, listings: Iterable[ListResult], say: Callable[[str], None]
) -> list[ListResult]:
    """Return the complete lists for which a later reading is loaded already; `say` names each."""
    read = {scope(listing): listing for listing in listings if listing.error is None}
    found = []
    for row in tables.rows(SYNCS_TABLE, [LIST_COLUMN, "synced_at"], (LIST_COLUMN, list(read))):
        listing = read[row[LIST_COLUMN]]
        other = known(parse_time(row["synced_at"]), times.now())  # a clock may have been wrong
        if other > listing.read_at:
            say(f"{listing.name}: a newer reading is loaded, of {other:%H:%M:%S} UTC. It stays.")
            found.append(listing)
    return found


def overtaken(
    tables: Tables, listings: Iterable[ListResult], say: Callable[[str], None]
) -> list[ListResult]:
    """Return the complete heads whose list was synced after they began; `say` names each."""
    read = {scope(listing): listing for listing in listings if listing.error is None}
    found = []
    for row in tables.rows(SYNCS_TABLE, [LIST_COLUMN, "recorded_at"], (LIST_COLUMN, list(read))):
        listing = read[row[LIST_COLUMN]]
        if known(parse_time(row["recorded_at"]), times.now()) > listing.read_at:
            say(f"{listing.name}: another sync was loaded meanwhile. This head is not.")
            found.append(listing)
    return found


def synced_since(tables: Tables, api: Api, since: datetime) -> set[ListKey]:
    """Return the lists that were synced since a time and that no other list depends on."""
    needed = {e.parent for e in api.endpoints.values() if e.in_parts}
    found = set()
    for history in histories(tables):
        endpoint = api.endpoints.get(history.resource)
        if endpoint is None or known(history.synced_at, times.now()) < since:
            continue
        is_a_list = endpoint.partitioned if history.parent is not None else endpoint.parent is None
        if is_a_list and history.resource not in needed:
            found.add(history.key)
    return found


def remember_page_sizes(tables: Tables, sizes: PageSizes) -> None:
    """Let a sync use the page sizes that earlier syncs have learned."""
    known = histories(tables)
    rows = {one.resource: one.rows_a_page for one in known if one.rows_a_page is not None}
    sizes.remember(((one.resource, one.page_size) for one in known if one.page_size), rows)
