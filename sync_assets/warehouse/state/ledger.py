"""Removes dlt's records of our loads and schemas after a month; dlt itself never removes any.

No sync reads them back, because each load writes what it needs, so older ones serve nobody. The
name of the schema tells which are ours, because another dlt script may load a source of the same
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
    """Return the name of an API's schema in dlt's tables; no other script uses it."""
    return f"sync_assets_{api.name}"


def forget_old_loads(tables: Tables, api: Api) -> None:
    """Remove our records older than `KEEP`, except for the newest load and the newest schema."""
    for table in (LOADS_TABLE_NAME, VERSION_TABLE_NAME):
        mark = ("schema_name", schema_name(api))
        tables.delete_before(table, "inserted_at", times.now() - KEEP, mark)
