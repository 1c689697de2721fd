"""Removes rows of parents that the API no longer lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.integrity import orphans
from sync_assets.warehouse.state.syncs import mark
from sync_assets.warehouse.state.vanished import forget
from sync_assets.warehouse.tables import Tables, open_tables_when_free

Found = dict[str, Mapping[str, int]]


def prune(
    api: Api,
    *,
    dry_run: bool,
    say: Callable[[str], None],
    confirm: str = "",
    stays: Callable[[Endpoint, str], bool] = lambda endpoint, parent: False,
) -> Found:
    """Remove the rows below vanished parents and return their number by resource and parent.

    With `dry_run` they are only counted. Parents that `stays` returns true for are left out. Only
    what a dry run found is removed: `confirm` is its `confirmation`. Raises `WarehouseError` if
    that does not match, and if a parent's table is empty, because then everything would be
    removed.
    """
    found: Found = {}
    with (
        open_pipeline(api.name, dataset_of(api)) as pipeline,
        open_tables_when_free(pipeline, say) as tables,
    ):
        for endpoint in api.endpoints.values():
            if endpoint.parent is None or endpoint.parent_param is None:
                continue
            if lost := _lost(tables, endpoint, stays, say):
                _refuse_without_parents(tables, endpoint.name, endpoint.parent)
                found[endpoint.name] = lost
        if not dry_run and found:
            _refuse_unconfirmed(found, confirm)
            for name, lost in found.items():
                mark(tables, [name])  # of the lists none may be left to do so
                tables.delete(name, str(api.endpoints[name].parent_param), lost)
                forget(tables, [ListResult(name, parent) for parent in lost])
    return found


def confirmation(found: Found) -> str:
    """Return a word for what a dry run found; it differs for anything else."""
    named = {name: dict(sorted(lost.items())) for name, lost in sorted(found.items())}
    digest = sha256(json.dumps(named).encode()).hexdigest()
    return f"remove-{digest[:12]}"  # YAML would read some digests as numbers


def _lost(
    tables: Tables,
    endpoint: Endpoint,
    stays: Callable[[Endpoint, str], bool],
    say: Callable[[str], None],
) -> Mapping[str, int]:
    lost = orphans(tables, endpoint)
    kept = sorted(parent for parent in lost if stays(endpoint, parent))
    if kept:
        say(
            f"{endpoint.name}: rows of {', '.join(kept)} stay. They are missing from the newest "
            f"list of {endpoint.parent} and are still partitions: the sensor retires them once "
            "another sync misses them too; a partition that somebody else added has to be deleted."
        )
    return {parent: rows for parent, rows in lost.items() if parent not in kept}


def _refuse_unconfirmed(found: Found, confirm: str) -> None:
    if confirm != confirmation(found):
        raise WarehouseError(
            f"Nothing was removed: {'the word' if confirm else 'no word'} in `confirm` is not "
            "that of a dry run which found what is there now. Run the job without configuration, "
            "look at what it names, and run it with the configuration that it tells."
        )


def _refuse_without_parents(tables: Tables, resource: str, parent: str) -> None:
    if not sum(tables.counts(parent, None).values()):
        raise WarehouseError(
            f"{parent} holds no row, so every row of {resource} would be removed. "
            f"Sync {parent} first."
        )
