"""dlt's notes of its loads and schemas: a month of ours, since nothing else ever removes any.

No sync reads them back: what a load needs of them it writes itself, so older ones serve nobody.
Which are ours the name of their schema tells: somebody's dlt script may load a source of the same
name into the same dataset.
"""

from __future__ import annotations

from datetime import timedelta

from dlt.common.schema.typing import LOADS_TABLE_NAME, VERSION_TABLE_NAME

from sync_assets.base import times
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.tables import Tables

KEEP = timedelta(days=30)


def schema_name(api: Api) -> str:
    """What dlt calls the schema of an API in the warehouse; nobody else would."""
    return f"sync_assets_{api.name}"


def forget_old_loads(tables: Tables, api: Api) -> None:
    """Remove our notes older than `KEPT`, but for the newest load and the newest schema."""
    for table in (LOADS_TABLE_NAME, VERSION_TABLE_NAME):
        mark = ("schema_name", schema_name(api))
        tables.delete_before(table, "inserted_at", times.now() - KEEP, mark)
