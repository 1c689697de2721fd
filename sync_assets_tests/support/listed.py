"""One list read over HTTP as a sync reads it, without a warehouse."""

from __future__ import annotations

from typing import Any

from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets_tests.support.observers import Hearing
from sync_assets_tests.support.world import APIS


def listed(
    source: str, resource: str, parent: str | None = None, say: Any = None
) -> tuple[ListResult, list[str]]:
    """What became of a list, and the ids that it holds, as text; none where it failed."""
    api, result = APIS[source], SyncResult(strict=False, observer=Hearing(say))
    lists = ListReader(Account(api), {}, result)
    spool = lists.read(api.endpoints[resource], parent).spool
    return result.listings[ListKey(resource, parent)], spool.column(
        "id"
    ) if spool is not None else []
