"""Which partitions of a run are synced: all, those never synced, or those that may change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Literal

import dagster as dg

from sync_assets.lib.keys import in_order, partition_key
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.look import parent_rows

Only = Literal["all", "missing", "live"]


def chosen_keys(
    context: dg.AssetExecutionContext, api: Api, parent: Parent, only: Only
) -> list[str]:
    """The partition keys of a run that `only` leaves."""
    keys = list(context.partition_keys)
    if only == "missing":
        missing = missing_keys(context.instance, context.selected_asset_keys, keys)
        return [key for key in keys if key in missing]
    if only == "live":
        live = live_keys(api, parent)
        return [key for key in keys if key in live]
    return keys


def missing_keys(
    instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], keys: Iterable[str]
) -> set[str]:
    """The keys that at least one of the assets was never materialized for."""
    wanted = set(keys)
    missing: set[str] = set()
    for asset in assets:
        missing |= wanted - instance.get_materialized_partitions(asset)
    return missing


def live_keys(api: Api, parent: Parent) -> set[str]:
    """The keys of parents whose children may still change, by the warehouse's parent table."""
    now = datetime.now(timezone.utc)
    rows = parent_rows(api, parent)
    return {partition_key(str(row["id"])) for row in rows if parent.is_live(row, now)}


def parent_keys(api: Api, parent: Parent) -> list[str]:
    """The keys of all parents in the warehouse, in order."""
    return in_order(partition_key(str(row["id"])) for row in parent_rows(api, parent))
