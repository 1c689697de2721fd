"""dlt's notes of its loads and schemas: a month of them, since nothing else ever removes any.

No sync reads them back: what a load needs of them it writes itself, so older ones serve nobody.
"""

from __future__ import annotations

from datetime import timedelta

from dlt.common.schema.typing import LOADS_TABLE_NAME, VERSION_TABLE_NAME

from sync_assets.sources.rest import times
from sync_assets.warehouse.tables import Tables

KEPT = timedelta(days=30)


def forget_old_loads(tables: Tables) -> None:
    """Remove the notes older than `KEPT`, but for the newest load and the newest schema."""
    for table in (LOADS_TABLE_NAME, VERSION_TABLE_NAME):
        tables.delete_before(table, "inserted_at", times.now() - KEPT)
