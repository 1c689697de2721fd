"""Reads the newest pages of a swept list once more before the list is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from sync_assets.base.errors import ListError
from sync_assets.sources.rest.account import Connection
from sync_assets.sources.rest.extract.head import End, Head
from sync_assets.sources.rest.extract.reader import read_list
from sync_assets.sources.rest.extract.reading import Reading
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import ListResult


def renew(connection: Connection, spool: Spool, further: int, result: SyncResult) -> None:
    """Read a list again, up to `further` pages beyond the first page on which no row is new.

    The rows read now replace those of the sweep with the same key. Raises `ListError` if reading
    fails, or if no such page is found.
    """
    listing = spool.listing
    endpoint = connection.endpoints[listing.resource]
    newer = Spool(spool.typer, spool.key, ListResult(listing.resource, listing.parent))
    head = Head(partial(_all_in, spool.keys()), listing.pages + further, further)
    end = read_list(Reading(connection, endpoint, newer, result, head=head))
    newer.close()
    if end is End.TOO_FAR:
        raise ListError(
            f"{listing.name}: a head was loaded while it was read, and no page of it is as it was. "
            "Sync it again."
        )
    listing.renewed_at, listing.renewed_pages = newer.listing.read_at, newer.listing.pages
    listing.requests += newer.listing.requests
    spool.renew(newer)


def _all_in(held: pa.ChunkedArray, keys: Sequence[str]) -> bool:
    """Whether a list has all the given keys."""
    wanted = pa.array(keys, pa.string()).cast(held.type)
    return bool(pc.all(pc.is_in(wanted, value_set=held)).as_py())
