"""One load of heads: their rows are added, or replace those with the same key."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import dlt

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.connection.destination import database_file
from sync_assets.warehouse.connection.driver_errors import translate_errors
from sync_assets.warehouse.connection.lock import single_writer
from sync_assets.warehouse.connection.postgres import list_locks
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.load import asked_for, load_files
from sync_assets.warehouse.state.held_keys import below, key_column, rows_of
from sync_assets.warehouse.state.ledger import forget_old_loads
from sync_assets.warehouse.state.quarantine import scope
from sync_assets.warehouse.state.readings import overtaken
from sync_assets.warehouse.state.syncs import record
from sync_assets.warehouse.tables import Tables, locked_tables, open_tables


def load_heads(
    pipeline: dlt.Pipeline,
    lists: ListReader,
    names: Sequence[str],
    make: Callable[[dlt.Pipeline], None],
) -> list[ListResult]:
    """Load the heads that a round took of some resources; all other rows stay as they are.

    If a list was synced meanwhile, nothing is loaded and such lists are returned. Raises what
    `load_and_prove` raises.
    """
    api, result, say = lists.api, lists.result, lists.result.observer.say
    asked = asked_for(api, names, result)
    scopes = [scope(listing) for listing in asked]
    with (
        translate_errors(pipeline.dataset_name),
        single_writer(database_file(pipeline), say),
        list_locks(pipeline, scopes, make, say) as holding,
    ):
        with open_tables(pipeline) if holding is None else locked_tables(holding) as tables:
            if late := overtaken(tables, asked, say):
                return late
            expected = {
                scope(spool.listing): _expected(
                    tables, api.endpoints[spool.listing.resource], spool
                )
                for spool in lists.taken()
            }
        load_files(pipeline, say)
        with open_tables(pipeline) if holding is None else locked_tables(holding) as tables:
            for spool in lists.taken():
                listing = spool.listing
                listing.rows = _held(tables, api.endpoints[listing.resource], listing)
                if listing.rows != expected[scope(listing)]:
                    result.record(listing, _differs(listing, expected[scope(listing)]))
            record(tables, api, asked, result)
            forget_old_loads(tables, api)
    return []


def _expected(tables: Tables, endpoint: Endpoint, spool: Spool) -> int:
    """Return the rows of a list after its head is loaded; counts what the head changes."""
    listing, key = spool.listing, key_column(endpoint)
    columns = tables.ownership.columns(endpoint.name)
    listing.rows_added = listing.rows_changed = listing.rows_deleted = 0
    for table in spool.tables():
        rows = {str(row[key]): row for row in table.to_pylist()}
        found = rows_of(tables, endpoint, listing.parent, list(rows), columns)
        listing.rows_added += len(rows) - len(found)
        pairs = ((rows[str(old[key])], old) for old in found)
        listing.rows_changed += sum(
            _said(new, endpoint) != _said(old, endpoint) for new, old in pairs
        )
    return _held(tables, endpoint, listing) + listing.rows_added


def _held(tables: Tables, endpoint: Endpoint, listing: ListResult) -> int:
    """Return the rows that the warehouse holds of a list."""
    return tables.count(endpoint.name, below(endpoint, listing.parent))


def _said(row: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the values of a row without nulls and dlt's columns, with JSON parsed."""
    nested = {str(c["name"]) for c in endpoint.columns.values() if c["data_type"] == "json"}
    return {
        name: json.loads(value) if name in nested and isinstance(value, str) else value
        for name, value in row.items()
        if value is not None and not name.startswith("_dlt")
    }


def _differs(listing: ListResult, expected: int) -> WarehouseError:
    return WarehouseError(
        f"{listing.name}: {expected} rows were to be there once its head was loaded, the "
        f"warehouse holds {listing.rows}. Sync it again."
    )
