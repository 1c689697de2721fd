"""Counts the rows that the warehouse holds of each list."""

from __future__ import annotations

from collections.abc import Iterable

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.ownership import SYNCS
from sync_assets.warehouse.tables import Tables

Held = dict[ListKey, int]


def rows_by_list(tables: Tables, api: Api, resources: Iterable[str]) -> Held:
    """Return row counts by resource and parent; the parent None stands for all of them.

    For tables of several lists, known lists without rows are included, and so are the rows of
    their parents, whose list decides which rows these keep.
    """
    wanted = [api.endpoints[name] for name in resources]
    parents = [api.endpoints[str(e.parent)] for e in wanted if e.in_parts]
    held: Held = {}
    for endpoint in {e.name: e for e in [*wanted, *parents]}.values():
        counts = tables.counts(endpoint.name, endpoint.parent_param)
        held.update({ListKey(endpoint.name, parent): count for parent, count in counts.items()})
        held[ListKey(endpoint.name)] = sum(counts.values())
    parts = [e.name for e in wanted if e.in_parts]
    for row in tables.rows(SYNCS, ["resource", "parent"], ("resource", parts)):
        held.setdefault(ListKey(row["resource"], row["parent"]), 0)
    return held
