"""The events that report a list to Dagster: materialization, observation or failure."""

from __future__ import annotations

from typing import Any, TypeAlias

import dagster as dg

from sync_assets.base.enumeration import some
from sync_assets.lib.keys import in_order, partition_key
from sync_assets.lib.translator import asset_key
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import ListResult

Event: TypeAlias = "dg.AssetMaterialization | dg.AssetObservation | dg.MaterializeResult[Any]"
NAMED_FAILURES = 20
#: What a sync changed, where it was counted.
CHANGES = ("rows_added", "rows_changed", "rows_deleted", "missed_by_heads")


def materialization(api: Api, listing: ListResult, *, alone: bool) -> Event:
    """Return the event of a complete list.

    If the list is all that the run materializes of its asset, the event is a result, so that
    downstream assets of the run start. Partitions of a range each get an event of their own,
    because Dagster offers no result for them.
    """
    key, metadata = asset_key(api, listing.resource), _figures(api, listing)
    if alone:
        return dg.MaterializeResult(key, metadata=metadata)
    return dg.AssetMaterialization(
        key, partition=partition_key(str(listing.parent)), metadata=metadata
    )


def observation(api: Api, table: ListResult) -> dg.AssetObservation:
    """Return the event of a table of which some lists failed; it is not a materialization."""
    return dg.AssetObservation(asset_key(api, table.resource), metadata=_figures(api, table))


def failure(api: Api, result: SyncResult) -> dg.Failure:
    """Return the failure of a run: the first cause, and the partitions to materialize again."""
    failed = result.failed()
    keys = in_order({key for _, key in (_address(api, item) for item in failed) if key is not None})
    again = f" Materialize these partitions again: {some(keys, NAMED_FAILURES)}" if keys else ""
    errors = [f"- {item.error}" for item in failed]
    return dg.Failure(
        f"{len(failed)} of {len(result.listings)} lists failed, the others are loaded. "
        f"{failed[0].error}{_parts(api, failed)}{again}",
        metadata={
            "failures": dg.MetadataValue.md(some(errors, NAMED_FAILURES, "\n")),
            "failed_keys": keys,
            "failed_lists": [list(one) for one in dict.fromkeys(_address(api, i) for i in failed)],
        },
    )


def _parts(api: Api, failed: list[ListResult]) -> str:
    """Name the failed lists of assets without partitions."""
    parts = [item for item in failed if item.parent is not None and _address(api, item)[1] is None]
    names = some(in_order(item.name for item in parts), NAMED_FAILURES)
    return f" These keep the rows they had: {names}." if parts else ""


def _address(api: Api, listing: ListResult) -> tuple[str, str | None]:
    """Return an asset key as text, and the partition key if the asset has partitions."""
    partitioned = api.endpoints[listing.resource].partitioned and listing.parent is not None
    key = partition_key(str(listing.parent)) if partitioned else None
    return asset_key(api, listing.resource).to_user_string(), key


def _figures(api: Api, listing: ListResult) -> dict[str, Any]:
    proven = listing.proven_at
    count = "dagster/row_count" if listing.parent is None else "dagster/partition_row_count"
    return {
        count: listing.rows,
        "rows": listing.rows,
        "pages": listing.pages,
        **({"pages_from_disk": listing.resumed} if listing.resumed else {}),
        **_page_size(listing),
        "requests": listing.requests,
        "retries": listing.retries,
        "duplicates": listing.duplicates,
        "quarantined": listing.quarantined,
        "bytes": listing.bytes,
        "seconds": round(listing.seconds, 3),
        "seconds_waited": round(listing.waited, 3),
        "sandbox": api.is_sandbox(),
        "read": "head" if listing.is_head else "sweep",
        "fresh_at": dg.MetadataValue.timestamp(listing.fresh_at),
        **({"proven_at": dg.MetadataValue.timestamp(proven)} if proven else {}),
        **{name: number for name in CHANGES if (number := getattr(listing, name)) is not None},
    }


def _page_size(listing: ListResult) -> dict[str, int]:
    """Return which page size was requested and which came, for a list of several pages."""
    if listing.rows_a_page is None:
        return {}
    asked = {"page_limit": listing.page_size.limit} if listing.page_size.limit else {}
    return {**asked, "rows_a_page": listing.rows_a_page}
