"""Where records are kept that could not be loaded as declared: the table `_quarantine`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dlt
from dlt.extract import DltResource

from sync_assets.sources.rest.columns import columns
from sync_assets.sources.rest.hints import MERGE
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing

TABLE = "_quarantine"
SCOPE = "list"
COLUMNS = columns(
    required=f"{SCOPE} position", text=f"{SCOPE} resource parent reason record", bigint="position"
)


def quarantine(journal: Journal) -> DltResource:
    """The problems of the complete lists; each list replaces those of its last sync."""

    def rows() -> Iterator[list[dict[str, Any]]]:
        for listing in journal.complete():
            if listing.problems:
                yield [
                    {
                        SCOPE: scope(listing),
                        "position": position,
                        "resource": listing.resource,
                        "parent": listing.parent,
                        "reason": problem.reason,
                        "record": problem.record,
                    }
                    for position, problem in enumerate(listing.problems)
                ]

    return dlt.resource(
        rows,
        name=TABLE,
        write_disposition=MERGE,
        merge_key=SCOPE,
        primary_key=[SCOPE, "position"],
        columns=COLUMNS,
    )


def scope(listing: Listing) -> str:
    """The name of a list within its source."""
    return listing.resource if listing.parent is None else f"{listing.resource}/{listing.parent}"
