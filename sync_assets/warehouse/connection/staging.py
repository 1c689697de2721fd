"""Staging datasets: one for each sync, under a name that nobody else would choose.

They keep copies of rows, also of those that are gone upstream, so none outlives its sync; those of
syncs that were killed are dropped by the next load.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.base.errors import brief

PREFIX = "sync_assets_staging_"
NAME = rf"{PREFIX}[0-9a-f]{{12}}"
_SCHEMAS = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"


def new_name() -> str:
    """A name for the staging dataset of one sync; two that share one lose rows of both."""
    return f"{PREFIX}{uuid4().hex[:12]}"


def drop_own(pipeline: dlt.Pipeline, say: Callable[[str], None]) -> None:
    """Drop the staging dataset of a pipeline."""
    try:
        with pipeline.sql_client() as client, client.with_staging_dataset() as staging:
            if staging.has_dataset():
                staging.drop_dataset()
    except DatabaseException as error:
        say(f"the staging dataset of {pipeline.dataset_name} was left behind: {brief(error)}")


def drop_abandoned(client: SqlClientBase[Any]) -> None:
    """Drop what killed syncs left in a DuckDB file, which has one writer: whoever asks."""
    for (name,) in client.execute_sql(_SCHEMAS) or ():
        if re.fullmatch(NAME, str(name)):
            client.execute_sql(f"DROP SCHEMA {client.escape_column_name(name)} CASCADE")
