"""A look at what the warehouse holds, by the same road as every writer.

Whoever looks has something else to do: a busy warehouse is a `WarehouseBusyError` before long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.destination import database_file, dataset_name, open_pipeline
from sync_assets.warehouse.lock import exclusive, silent
from sync_assets.warehouse.quarantine import SCOPE
from sync_assets.warehouse.quarantine import TABLE as QUARANTINE
from sync_assets.warehouse.tables import Tables, open_tables

#: Dagster ends a sensor's tick after a minute.
PATIENCE = 30.0


def parent_rows(api: Api, parent: Parent) -> list[dict[str, Any]]:
    """The parents that the last sync found: their id, and what tells whether they are live."""
    with _tables(api) as tables:
        return tables.rows(parent.resource, parent.columns)


def quarantined(api: Api) -> dict[str, list[str]]:
    """The reasons for which records are in quarantine, by resource."""
    reasons: dict[str, list[str]] = {}
    with _tables(api) as tables:
        for row in tables.rows(QUARANTINE, [SCOPE, "resource", "reason"]):
            reasons.setdefault(row["resource"], []).append(f"{row[SCOPE]}: {row['reason']}")
    return reasons


@contextmanager
def _tables(api: Api) -> Iterator[Tables]:
    dataset = dataset_name(api.name, sandbox=api.is_sandbox())
    with (
        open_pipeline(api.name, dataset) as pipeline,
        exclusive(database_file(pipeline), silent, patience=PATIENCE),
        open_tables(pipeline) as tables,
    ):
        yield tables
