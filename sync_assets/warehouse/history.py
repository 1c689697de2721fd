"""What is known of each list from its last syncs: the table `_syncs`, one row a list.

It stands beside the data and is written after them, so it never claims more than there is; and
it knows what Dagster does not: when a partition's list was read, and how often it failed since.

It also tells which tables are ours: those that a row names. A table is marked as it is made, by a
row that tells of no sync yet; the row of a list that failed before its table was made is no mark,
`ours` is false.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from dlt.common.schema.typing import TTableSchema
from dlt.common.schema.utils import new_table

from sync_assets.sources.rest import times
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.columns import columns
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.times import moment
from sync_assets.warehouse.ownership import SYNCS
from sync_assets.warehouse.quarantine import SCOPE, scope
from sync_assets.warehouse.tables import Tables, parents

TABLE = SYNCS
COLUMNS = columns(
    required=f"{SCOPE} resource",
    text=f"{SCOPE} resource parent synced_at new_fields missing_fields failed_at error not_before",
    bigint="rows rows_before quarantined left_out failures",
    boolean="final ours",
)


@dataclass(frozen=True)
class Past:
    """A list's past: `rows` as of `synced_at`, and the failures since then.

    `synced_at` is when reading began: the rows are at least that new. `final` says that nothing
    below the parent could change any more by then, `not_before` until when the API asked to be
    left alone when the list last failed.
    """

    resource: str
    parent: str | None = None
    synced_at: datetime | None = None
    rows: int = 0
    rows_before: int = 0
    quarantined: int = 0
    left_out: int = 0
    new_fields: frozenset[str] = frozenset()
    missing_fields: frozenset[str] = frozenset()
    final: bool = False
    failures: int = 0
    failed_at: datetime | None = None
    error: str | None = None
    not_before: datetime | None = None


def schema() -> TTableSchema:
    """The table as dlt declares one."""
    return new_table(TABLE, columns=list(COLUMNS.values()))


def record(tables: Tables, api: Api, listings: Iterable[Listing], journal: Journal) -> None:
    """Write down what became of lists; a failure leaves what is known of the last sync."""
    fates = {str(_storable(scope(listing))): listing for listing in listings}
    failed = [name for name, listing in fates.items() if listing.error is not None]
    known = {row[SCOPE]: row for row in tables.rows(TABLE, list(COLUMNS), (SCOPE, failed))}
    is_final = _is_final(tables, api)
    rows = [
        _failed(name, listing, known.get(name, {}), tables)
        if listing.error is not None
        else _complete(name, listing, journal, final=is_final(listing))
        for name, listing in fates.items()
    ]
    tables.put(TABLE, SCOPE, rows)


def mark(tables: Tables, resources: Iterable[str]) -> None:
    """Write down that the tables of resources are ours, where no row of their own says so."""
    names = list(resources)
    known = {row[SCOPE]: row for row in tables.rows(TABLE, list(COLUMNS), (SCOPE, names))}
    rows = [
        {**dict.fromkeys(COLUMNS), **known.get(name, {}), **_identity(name, Listing(name))}
        for name in names
        if name not in known or known[name]["ours"] is False
    ]
    tables.put(TABLE, SCOPE, [{**row, "ours": True} for row in rows])


def pasts(tables: Tables) -> list[Past]:
    """The past of every list that was ever tried."""
    rows = tables.rows(TABLE, list(COLUMNS))
    return [_past(row) for row in rows if row["synced_at"] or row["failures"]]


def _is_final(tables: Tables, api: Api) -> Callable[[Listing], bool]:
    rows = {
        (child, str(row["id"])): (parent, row)
        for parent in api.parents
        for row in parents(tables, parent)
        for child in api.children(parent.resource)
    }

    def is_final(listing: Listing) -> bool:
        parent, row = rows.get((listing.resource, str(listing.parent)), (None, {}))
        return parent is not None and not parent.is_live(row, listing.read_at)

    return is_final


def _failed(
    name: str, listing: Listing, known: Mapping[str, Any], tables: Tables
) -> dict[str, Any]:
    return {
        **dict.fromkeys(COLUMNS),
        "ours": tables.ownership.is_ours(listing.resource),
        **known,
        **_identity(name, listing),
        "failures": (known.get("failures") or 0) + 1,
        "failed_at": times.now().isoformat(),
        "error": _storable(listing.error),
        "not_before": listing.not_before.isoformat() if listing.not_before else None,
    }


def _complete(name: str, listing: Listing, journal: Journal, *, final: bool) -> dict[str, Any]:
    return {
        **dict.fromkeys(COLUMNS),
        **_identity(name, listing),
        "synced_at": listing.read_at.isoformat(),
        "rows": listing.rows,
        "rows_before": journal.held.get((listing.resource, listing.parent), 0),
        "quarantined": listing.quarantined,
        "left_out": listing.left_out,
        "new_fields": json.dumps(sorted(listing.new_fields)),
        "missing_fields": json.dumps(sorted(listing.missing_fields)),
        "final": final,
        "ours": True,
        "failures": 0,
    }


def _identity(name: str, listing: Listing) -> dict[str, Any]:
    return {SCOPE: name, "resource": listing.resource, "parent": _storable(listing.parent)}


def _storable(text: str | None) -> str | None:
    """A text that every warehouse takes: it may quote anything that a server sent."""
    return text and text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


@lru_cache  # many lists lack the same fields
def _names(text: str | None) -> frozenset[str]:
    return frozenset(json.loads(text)) if text else frozenset()


def _past(row: Mapping[str, Any]) -> Past:
    return Past(
        resource=row["resource"],
        parent=row["parent"],
        synced_at=moment(row["synced_at"]),
        rows=row["rows"] or 0,
        rows_before=row["rows_before"] or 0,
        quarantined=row["quarantined"] or 0,
        left_out=row["left_out"] or 0,
        new_fields=_names(row["new_fields"]),
        missing_fields=_names(row["missing_fields"]),
        final=bool(row["final"]),
        failures=row["failures"] or 0,
        failed_at=moment(row["failed_at"]),
        error=row["error"],
        not_before=moment(row["not_before"]),
    )
