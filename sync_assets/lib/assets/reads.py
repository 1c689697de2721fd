"""How a run reads its lists: all to their end, some by their heads, or each as it is due."""

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
    """How lists are read.

    `sweep` reads all lists to their end. `heads` reads the heads of lists that qualify and sweeps
    the others. `due` does the same, but sweeps each list whose last sweep is too old.
    """

    sweep = "sweep"
    heads = "heads"
    due = "due"


def reading(request: Request, read: Read, say: Callable[[str], None]) -> Request:
    """Return a request that reads its lists as `read` says; `due` may wait for the warehouse."""
    if read is Read.sweep:
        return request
    api = request.api
    swept: set[ListKey] = set()
    if read is Read.due:
        known, now = awaited_state(api, say), times.now()
        found = evaluate_freshness(api, known, automation(api), now)
        swept = {freshness.history.key for freshness in found if freshness.to_sweep}
    return replace(request, read="heads", swept=swept)
