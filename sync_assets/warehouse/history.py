"""What is known of each list from its last syncs: the table `_syncs`, one row a list.

It stands beside the data and is written after them, so it never claims more than there is; and
it knows what Dagster does not: when a partition's list was read, and how often it failed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlt.common.schema.typing import TTableSchema
from dlt.common.schema.utils import new_table

from sync_assets.sources.rest import times
from sync_assets.sources.rest.columns import columns
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.times import moment
from sync_assets.warehouse.quarantine import SCOPE, scope
from sync_assets.warehouse.tables import Tables

TABLE = "_syncs"
COLUMNS = columns(
    required=f"{SCOPE} resource",
    text=f"{SCOPE} resource parent synced_at new_fields missing_fields failed_at error",
    bigint="rows rows_before quarantined failures",
)


@dataclass(frozen=True)
class Past:
    """A list's past: `rows` as of `synced_at`, and the failures since then.

    `synced_at` is when reading began: the rows are at least that new.
    """

    resource: str
    parent: str | None = None
    synced_at: datetime | None = None
    rows: int = 0
    rows_before: int = 0
    quarantined: int = 0
    new_fields: frozenset[str] = frozenset()
    missing_fields: frozenset[str] = frozenset()
    failures: int = 0
    failed_at: datetime | None = None
    error: str | None = None


def schema() -> TTableSchema:
    """The table as dlt declares one."""
    return new_table(TABLE, columns=list(COLUMNS.values()))


def record(tables: Tables, listings: Iterable[Listing], journal: Journal) -> None:
    """Write down what became of lists; a failure leaves what is known of the last sync."""
    fates = {scope(listing): listing for listing in listings}
    failed = [name for name, listing in fates.items() if listing.error is not None]
    known = {row[SCOPE]: row for row in tables.rows(TABLE, list(COLUMNS), (SCOPE, failed))}
    rows = [_row(name, item, known.get(name, {}), journal) for name, item in fates.items()]
    tables.put(TABLE, SCOPE, rows)


def pasts(tables: Tables) -> list[Past]:
    """The past of every list that was ever tried."""
    return [_past(row) for row in tables.rows(TABLE, list(COLUMNS))]


def _row(name: str, listing: Listing, known: Mapping[str, Any], journal: Journal) -> dict[str, Any]:
    row = dict.fromkeys(COLUMNS) | dict(known)
    row |= {SCOPE: name, "resource": listing.resource, "parent": listing.parent}
    if listing.error is not None:
        failures = (known.get("failures") or 0) + 1
        return row | {
            "failures": failures,
            "failed_at": times.now().isoformat(),
            "error": listing.error,
        }
    return row | {
        "synced_at": listing.read_at.isoformat(),
        "rows": listing.rows,
        "rows_before": journal.held.get((listing.resource, listing.parent), 0),
        "quarantined": len(listing.problems),
        "new_fields": " ".join(sorted(listing.new_fields)),
        "missing_fields": " ".join(sorted(listing.missing_fields)),
        "failures": 0,
        "failed_at": None,
        "error": None,
    }


def _past(row: Mapping[str, Any]) -> Past:
    return Past(
        resource=row["resource"],
        parent=row["parent"],
        synced_at=moment(row["synced_at"]),
        rows=row["rows"] or 0,
        rows_before=row["rows_before"] or 0,
        quarantined=row["quarantined"] or 0,
        new_fields=frozenset((row["new_fields"] or "").split()),
        missing_fields=frozenset((row["missing_fields"] or "").split()),
        failures=row["failures"] or 0,
        failed_at=moment(row["failed_at"]),
        error=row["error"],
    )
