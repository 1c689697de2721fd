"""A row of `_syncs`: what is known of a list from its last syncs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sync_assets.base.times import parse_time
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.paging.page_size import PageSize, page_size_of
from sync_assets.sources.rest.records.columns import columns
from sync_assets.warehouse.ownership import SYNCS
from sync_assets.warehouse.state.drift import Differences
from sync_assets.warehouse.state.quarantine import LIST_COLUMN

SYNCS_TABLE = SYNCS
COLUMNS = columns(
    required=f"{LIST_COLUMN} resource",
    text=f"{LIST_COLUMN} resource parent synced_at fresh_at proven_at recorded_at ended_at"
    " new_fields missing_fields known_fields page_size failed_at error not_before"
    " parent_row",
    bigint="rows rows_before pages requests quarantined left_out conflicts failures"
    " rows_added rows_changed rows_deleted missed_by_heads sweeps_in_order head_pages head_rows"
    " rows_a_page",
    double="request_seconds",
    boolean="final ours",
)
#: Columns that the first version did not have, and the one that says the same of its rows.
FILLED = {"fresh_at": "synced_at", "proven_at": "synced_at"}
#: Sweeps in a row that saw new rows in front, after which a list is read by its head.
EARNED = 2


@dataclass(frozen=True)
class ListHistory:
    """The history of a list: `rows` as of `synced_at`, and the failures since then.

    `synced_at` is when the last sweep began: the rows are at least that new, and proven as of then
    (so it is `proven_at`, too). `recorded_at` is when they were loaded. `final` says that no row
    below the parent could change any more when the sweep began, and that it was not reopened;
    `ended_at` is the end that was known then.
    `known_fields` is the text of `drift`. `not_before` is the end of the pause that the API asked
    for, if the list last failed for that. `pages` and `requests` are those of the last sync, None
    if an earlier version did not record them; `request_seconds` is the sum of response times.
    `fresh_at` is when the last read began, a sweep or a head. `sweeps_in_order` counts the latest
    sweeps in a row that found new rows in front, apart from a few, from the first one that found
    any; `head_pages` is the largest number of pages of a head since the last sweep.
    `parent_row` is the digest of its parent's row from before the list was read, for a list of a
    table in parts that was read without interruption.
    `rows_a_page` are the rows of its latest page that was followed by another; `page_size` is what
    was requested, None if the API accepted what is wanted.
    """

    resource: str
    parent: str | None = None
    synced_at: datetime | None = None
    recorded_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int = 0
    rows_before: int = 0
    pages: int | None = None
    requests: int | None = None
    request_seconds: float = 0.0
    quarantined: int = 0
    left_out: int = 0
    conflicts: int = 0
    new_fields: frozenset[str] = frozenset()
    missing_fields: frozenset[str] = frozenset()
    known_fields: str | None = None
    final: bool = False
    failures: int = 0
    failed_at: datetime | None = None
    error: str | None = None
    not_before: datetime | None = None
    fresh_at: datetime | None = None
    sweeps_in_order: int = 0
    head_pages: int = 0
    rows_a_page: int | None = None
    page_size: PageSize | None = None
    parent_row: str | None = None

    @property
    def key(self) -> ListKey:
        """The key of the list."""
        return ListKey(self.resource, self.parent)

    def has_earned_heads(self, from_pages: int) -> bool:
        """Whether it is long, and its sweeps have found new rows where a head reads."""
        is_long = self.synced_at is not None and (self.pages or 0) >= from_pages
        return is_long and self.sweeps_in_order >= EARNED

    @property
    def differences(self) -> Differences:
        """How the records differ from the declaration."""
        return Differences(self.rows, self.final, self.new_fields, self.missing_fields)


@lru_cache  # many lists lack the same fields
def _names(text: str | None) -> frozenset[str]:
    return frozenset(json.loads(text)) if text else frozenset()


def past_of(row: Mapping[str, Any]) -> ListHistory:
    """Convert a row of `_syncs`."""
    return ListHistory(
        resource=row["resource"],
        parent=row["parent"],
        synced_at=parse_time(row["synced_at"]),
        recorded_at=parse_time(row["recorded_at"]),
        ended_at=parse_time(row["ended_at"]),
        rows=row["rows"] or 0,
        rows_before=row["rows_before"] or 0,
        pages=row["pages"],
        requests=row["requests"],
        request_seconds=row["request_seconds"] or 0.0,
        quarantined=row["quarantined"] or 0,
        left_out=row["left_out"] or 0,
        conflicts=row["conflicts"] or 0,
        new_fields=_names(row["new_fields"]),
        missing_fields=_names(row["missing_fields"]),
        known_fields=row["known_fields"],
        final=bool(row["final"]),
        failures=row["failures"] or 0,
        failed_at=parse_time(row["failed_at"]),
        error=row["error"],
        not_before=parse_time(row["not_before"]),
        fresh_at=parse_time(row["fresh_at"] or row["synced_at"]),
        sweeps_in_order=row["sweeps_in_order"] or 0,
        head_pages=row["head_pages"] or 0,
        rows_a_page=row["rows_a_page"],
        page_size=page_size_of(row["page_size"]),
        parent_row=row["parent_row"],
    )
