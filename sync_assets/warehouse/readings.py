"""What other syncs have read of the same lists: no older reading replaces a newer one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sync_assets.sources.rest import times
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.rounds import Key
from sync_assets.sources.rest.times import known, moment
from sync_assets.warehouse.history import pasts
from sync_assets.warehouse.past import TABLE
from sync_assets.warehouse.quarantine import SCOPE, scope
from sync_assets.warehouse.tables import Tables


def outdated(
    tables: Tables, listings: Iterable[Listing], say: Callable[[str], None]
) -> list[Listing]:
    """The complete lists of which a reading is loaded that began later; says so of each."""
    read = {scope(listing): listing for listing in listings if listing.error is None}
    found = []
    for row in tables.rows(TABLE, [SCOPE, "synced_at"], (SCOPE, list(read))):
        listing = read[row[SCOPE]]
        other = known(moment(row["synced_at"]), times.now())  # a clock may have been wrong
        if other > listing.read_at:
            say(f"{listing.name}: a newer reading is loaded, of {other:%H:%M:%S} UTC. It stays.")
            found.append(listing)
    return found


def synced_since(tables: Tables, api: Api, since: datetime) -> set[Key]:
    """The lists that were synced since a moment and that no other list hangs on."""
    needed = {e.parent for e in api.endpoints.values() if e.parent and not e.partitioned}
    found = set()
    for past in pasts(tables):
        endpoint = api.endpoints.get(past.resource)
        if endpoint is None or known(past.synced_at, times.now()) < since:
            continue
        is_a_list = endpoint.partitioned if past.parent is not None else endpoint.parent is None
        if is_a_list and past.resource not in needed:
            found.add((past.resource, past.parent))
    return found
