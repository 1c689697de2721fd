"""How a run reads its lists: to the end, by the heads that are earned, or as each is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from sync_assets.base import times
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import automation
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.queries import awaited_state
from sync_assets.warehouse.sync import Request


class Read(Enum):
    """`sweep` reads all lists to their ends, `heads` those that have not earned heads.

    `due` is as `heads`, and sweeps what could not be proven in time otherwise.
    """

    sweep = "sweep"
    heads = "heads"
    due = "due"


def reading(request: Request, read: Read, say: Callable[[str], None]) -> Request:
    """A request as its lists are to be read; for `due` it looks at the warehouse, and waits."""
    if read is Read.sweep:
        return request
    api = request.api
    # partitions are added, retired and ended by what these lists hold
    swept = {ListKey(parent.resource) for parent in api.parents}
    if read is Read.due:
        known, now = awaited_state(api, say), times.now()
        found = evaluate_freshness(api, known, automation(api), now)
        swept |= {freshness.history.key for freshness in found if freshness.to_sweep}
    return replace(request, read="heads", swept=swept)
