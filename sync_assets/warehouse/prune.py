"""Removing what belongs to parents that the API no longer lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.listing import Listing
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.destination import database_file, open_pipeline
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.history import mark
from sync_assets.warehouse.integrity import orphans
from sync_assets.warehouse.lock import exclusive
from sync_assets.warehouse.tables import Tables, open_tables
from sync_assets.warehouse.vanished import forget


def prune(api: Api, *, dry_run: bool, say: Callable[[str], None]) -> dict[str, Mapping[str, int]]:
    """Remove, or with `dry_run` only count, rows below vanished parents; by resource and parent.

    Raises `WarehouseError` where a parent's table is empty: everything would be removed.
    """
    found: dict[str, Mapping[str, int]] = {}
    with (
        open_pipeline(api.name, dataset_of(api)) as pipeline,
        exclusive(database_file(pipeline), say),
        open_tables(pipeline) as tables,
    ):
        for endpoint in api.endpoints.values():
            if endpoint.parent is None or endpoint.parent_param is None:
                continue
            lost = orphans(tables, endpoint)
            if lost:
                _refuse_without_parents(tables, endpoint.name, endpoint.parent)
                found[endpoint.name] = lost
                if not dry_run:
                    mark(tables, [endpoint.name])  # of the lists none may be left to do so
                    tables.delete(endpoint.name, endpoint.parent_param, lost)
                    forget(tables, [Listing(endpoint.name, parent) for parent in lost])
    return found


def _refuse_without_parents(tables: Tables, resource: str, parent: str) -> None:
    if not sum(tables.counts(parent, None).values()):
        raise WarehouseError(
            f"{parent} holds no row, so every row of {resource} would be removed. "
            f"Sync {parent} first."
        )
