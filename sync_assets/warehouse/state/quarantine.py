"""Keeps records that could not be loaded as declared, in the table `_quarantine`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dlt
from dlt.extract import DltResource

from sync_assets.base.personal_data import without_value
from sync_assets.sources.rest.declaration.hints import MERGE
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import REQUIRED, VALUE, ListResult
from sync_assets.sources.rest.records.columns import columns
from sync_assets.warehouse import ownership
from sync_assets.warehouse.tables import Tables

QUARANTINE_TABLE = ownership.QUARANTINE
LIST_COLUMN = "list"
COLUMNS = columns(
    required=f"{LIST_COLUMN} position",
    text=f"{LIST_COLUMN} resource parent reason record kind",
    bigint="position",
)


#: What the reasons of versions without a column for the kind say of a record without a row.
NOT_LOADED = "not loaded: "


@dataclass(frozen=True)
class Kept:
    """A record in quarantine: its resource, its list with the reason, and whether it was loaded."""

    resource: str
    reason: str
    kind: str


def quarantine(result: SyncResult) -> DltResource:
    """Return a dlt resource with the problems of complete lists; each replaces its old ones."""

    def rows() -> Iterator[list[dict[str, Any]]]:
        for listing in result.complete():
            if listing.problems:
                yield [
                    {
                        LIST_COLUMN: scope(listing),
                        "position": position,
                        "resource": listing.resource,
                        "parent": listing.parent,
                        "reason": problem.reason,
                        "record": problem.record,
                        "kind": problem.kind,
                    }
                    for position, problem in enumerate(listing.problems)
                ]

    return dlt.resource(
        rows,
        name=QUARANTINE_TABLE,
        write_disposition=MERGE,
        merge_key=LIST_COLUMN,
        primary_key=[LIST_COLUMN, "position"],
        columns=COLUMNS,
    )


def problems(tables: Tables) -> Iterator[Kept]:
    """Yield what is in quarantine, without the values of records."""
    for row in tables.rows(QUARANTINE_TABLE, [LIST_COLUMN, "resource", "reason", "kind"]):
        kind = row["kind"] or (REQUIRED if NOT_LOADED in row["reason"] else VALUE)
        yield Kept(row["resource"], f"{row[LIST_COLUMN]}: {without_value(row['reason'])}", kind)


def scope(listing: ListResult) -> str:
    """Return the name of a list within its source."""
    return listing.resource if listing.parent is None else f"{listing.resource}/{listing.parent}"
