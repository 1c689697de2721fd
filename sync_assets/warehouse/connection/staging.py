"""Staging datasets: one for each sync, with a name that nobody else would choose.

They hold copies of rows, even of rows that are deleted upstream, so none outlives its sync. The
next load drops those of syncs that were killed.
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
    """Return a name for the staging dataset of one sync; two syncs must not share one."""
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
    """Drop the staging datasets of killed syncs in a DuckDB file; the caller is its only writer."""
    for (name,) in client.execute_sql(_SCHEMAS) or ():
        if re.fullmatch(NAME, str(name)):
            client.execute_sql(f"DROP SCHEMA {client.escape_column_name(name)} CASCADE")
