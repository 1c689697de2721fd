"""Describes what a warehouse stores of an API's tables, as the typed views need it."""

from __future__ import annotations

from dlt.common.destination import AnyDestination
from dlt.destinations.job_client_impl import SqlJobClientBase

from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.connection.destination import is_duckdb
from sync_assets.warehouse.connection.postgres import is_postgres
from sync_assets.warehouse.ownership import Ownership
from sync_assets.warehouse.typed.casts import DUCKDB, POSTGRES
from sync_assets.warehouse.typed.view_sql import Stored


def dialect_of(destination: AnyDestination) -> str | None:
    """Return the dialect of the typed views; None for a warehouse without them."""
    for dialect, fits in ((DUCKDB, is_duckdb), (POSTGRES, is_postgres)):
        if fits(destination):
            return dialect
    return None


def stored_types(client: SqlJobClientBase, api: Api) -> Stored:
    """Return the types of the columns of those tables of an API that are ours."""
    ownership = Ownership(client.sql_client)
    tables = client.get_storage_tables([name for name in api.endpoints if ownership.is_ours(name)])
    return {
        name: {column: str(hints["data_type"]) for column, hints in columns.items()}
        for name, columns in tables
    }
