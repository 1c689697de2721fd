"""One list read over HTTP as a sync reads it, without a warehouse."""

from __future__ import annotations

from typing import Any

from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.lists import Lists
from sync_assets_tests.conftest import APIS


def listed(
    source: str, resource: str, parent: str | None = None, say: Any = None
) -> tuple[Listing, list[str]]:
    """What became of a list, and the ids that it holds, as text; none where it failed."""
    api, journal = APIS[source], Journal(strict=False, on_wait=say)
    lists = Lists(api, api.connect, {}, journal)
    spool = lists.read(api.endpoints[resource], parent).spool
    return journal.listings[resource, parent], spool.column("id") if spool is not None else []
