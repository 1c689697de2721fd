"""Maintains the table `_syncs`: one row for each list, with what its last syncs have shown.

It is written after the data, so it never claims more than there is. It knows what Dagster does
not: when the list of a partition was read, and how often it has failed since.

It also says which tables are ours: those that a row names. A new table is marked by a row without a
sync. The row of a list that failed before its table was made does not count: `ours` is false.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from dlt.common.schema.typing import TTableSchema
from dlt.common.schema.utils import new_table

from sync_assets.base import times
from sync_assets.base.times import EVER, parse_time, shifted
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.life import Life
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.state import drift
from sync_assets.warehouse.state.list_history import COLUMNS, SYNCS_TABLE, ListHistory, past_of
from sync_assets.warehouse.state.lives import lives, parents, unread
from sync_assets.warehouse.state.quarantine import LIST_COLUMN, scope
from sync_assets.warehouse.tables import Tables

TICK = timedelta(microseconds=1)
#: One new row in so many may come elsewhere than to the front of a list that is read by heads.
ONE_IN = 20


def schema() -> TTableSchema:
    """Return the table in the form that dlt declares one."""
    return new_table(SYNCS_TABLE, columns=list(COLUMNS.values()))


def record(tables: Tables, api: Api, listings: Iterable[ListResult], result: SyncResult) -> None:
    """Store the results of lists; a failure keeps what is known of the last sync.

    A head gets the time of its list's last sweep. The head of a table in parts also marks the
    lists that were left out as fresh.
    """
    fates = {str(_storable(scope(listing))): listing for listing in listings}
    known = {
        row[LIST_COLUMN]: row
        for row in tables.rows(SYNCS_TABLE, list(COLUMNS), (LIST_COLUMN, list(fates)))
    }
    for name, listing in fates.items():
        if listing.is_head:
            listing.proven_before = parse_time(known.get(name, {}).get("synced_at"))
    known_lives, grace, now = lives(tables, api), api.grace, times.now()
    rows = [
        _failed(name, listing, known.get(name, {}), tables)
        if listing.error is not None
        else {**known.get(name, {}), **_fresh(listing, known.get(name, {}))}
        if listing.is_head
        else {
            **_complete(name, listing, result, _life(known_lives, listing), grace),
            "sweeps_in_order": _in_order(listing, known.get(name, {})),
        }
        for name, listing in fates.items()
    ]
    _learn(tables, api, [row for row in rows if fates[row[LIST_COLUMN]].error is None], now)
    tables.put(SYNCS_TABLE, LIST_COLUMN, rows)
    for table in fates.values():
        if table.is_head and table.parent is None:
            parts = result.left_out(table.resource)
            left = [_storable(scope(ListResult(*part))) for part in parts]
            tables.update(SYNCS_TABLE, "fresh_at", table.fresh_at.isoformat(), (LIST_COLUMN, left))
    if any(listing.resource == parent.resource for listing in fates.values()
           for parent in api.parents):  # fmt: skip
        _reopen(tables, known_lives, grace, now)


def mark(tables: Tables, resources: Iterable[str]) -> None:
    """Record that the tables of resources are ours, unless a row already says so."""
    names = list(resources)
    known = {
        row[LIST_COLUMN]: row
        for row in tables.rows(SYNCS_TABLE, list(COLUMNS), (LIST_COLUMN, names))
    }
    rows = [
        {**dict.fromkeys(COLUMNS), **known.get(name, {}), **_identity(name, ListResult(name))}
        for name in names
        if name not in known or known[name]["ours"] is False
    ]
    tables.put(SYNCS_TABLE, LIST_COLUMN, [{**row, "ours": True} for row in rows])


def histories(tables: Tables) -> list[ListHistory]:
    """Return the history of every list that was ever attempted."""
    rows = tables.rows(SYNCS_TABLE, list(COLUMNS))
    return [past_of(row) for row in rows if row["synced_at"] or row["failures"]]


def _life(known_lives: Mapping[tuple[str, str], Life], listing: ListResult) -> Life:
    """Return the life of a list; open-ended if no row of a parent tells it."""
    return known_lives.get((listing.resource, str(listing.parent)), Life())


def _learn(tables: Tables, api: Api, rows: list[dict[str, Any]], now: datetime) -> None:
    """Store in the rows of complete lists how their resources differ, and since when.

    Of two records of a resource, the later one always has the later time, whatever the clock does.
    """
    by_resource: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_resource[row["resource"]][row[LIST_COLUMN]] = row
    stored: dict[str, dict[str, ListHistory]] = defaultdict(dict)
    for old in tables.rows(SYNCS_TABLE, list(COLUMNS), ("resource", by_resource)):
        stored[old["resource"]][old[LIST_COLUMN]] = past_of(old)
    parents_of = {parent.resource: parent for parent in api.parents}
    for resource, fresh in by_resource.items():
        before = stored[resource]
        after = {**before, **{name: past_of(row) for name, row in fresh.items()}}
        last = max(
            (times.known(history.recorded_at, now) for history in before.values()), default=EVER
        )
        stamp = max(now, shifted(last, TICK))
        stored_fields = drift.known(history.known_fields for history in before.values())
        was = drift.differences([history.differences for history in before.values()])
        present = drift.differences([history.differences for history in after.values()])
        if resource in parents_of:
            parent = parents_of[resource]
            was[drift.DATES] = drift.seen_at(stored_fields, drift.DATES, last)
            present[drift.DATES] = unread(parent, parents(tables, api, parent))
        text = drift.learned(stored_fields, was, present, stamp)
        for row in fresh.values():
            row.update(known_fields=text, recorded_at=stamp.isoformat())


def _reopen(
    tables: Tables, known_lives: Mapping[tuple[str, str], Life], grace: timedelta, now: datetime
) -> None:
    """Mark lists as not final if their rows may change again."""
    opened = [
        row
        for row in tables.rows(SYNCS_TABLE, list(COLUMNS), ("final", [True]))
        if (life := known_lives.get((row["resource"], row["parent"]))) and life.over_at(grace) > now
    ]
    tables.put(SYNCS_TABLE, LIST_COLUMN, [{**row, "final": False} for row in opened])


def _failed(
    name: str, listing: ListResult, known: Mapping[str, Any], tables: Tables
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


def _fresh(listing: ListResult, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that a head changes; it proves nothing."""
    new_fields = listing.new_fields | set(json.loads(known["new_fields"] or "[]"))
    return {
        "fresh_at": listing.fresh_at.isoformat(),
        "rows": listing.rows,
        "head_pages": max(listing.pages, known["head_pages"] or 0),
        "head_rows": (known["head_rows"] or 0) + (listing.rows_added or 0),
        "page_size": listing.page_size.text(),
        "new_fields": json.dumps(sorted(new_fields)),
        "failures": 0,
        **dict.fromkeys(("failed_at", "error", "not_before")),
        **_changes(listing),
    }


def _changes(listing: ListResult) -> dict[str, int | None]:
    return {
        "rows_added": listing.rows_added,
        "rows_changed": listing.rows_changed,
        "rows_deleted": listing.rows_deleted,
        "missed_by_heads": listing.missed_by_heads,
    }


def _in_order(listing: ListResult, known: Mapping[str, Any]) -> int:
    """Return how many sweeps in a row found new rows where a head reads; see `ListHistory`.

    A few rows that heads missed are tolerated: one in twenty of those that are new since the last
    sweep.
    """
    before, missed = known.get("sweeps_in_order") or 0, listing.missed_by_heads
    new = (listing.rows_added or 0) + (known.get("head_rows") or 0)
    if missed is None or missed * ONE_IN > new or not known.get("rows"):
        return 0
    return before + 1 if before or listing.rows_added else 0


def _complete(
    name: str, listing: ListResult, result: SyncResult, life: Life, grace: timedelta
) -> dict[str, Any]:
    return {
        **dict.fromkeys(COLUMNS),
        **_identity(name, listing),
        "synced_at": listing.read_at.isoformat(),
        "proven_at": listing.read_at.isoformat(),
        "fresh_at": listing.fresh_at.isoformat(),
        "head_pages": listing.renewed_pages,
        "rows": listing.rows,
        "rows_before": result.held.get(listing.key, 0),
        "pages": listing.pages,
        "rows_a_page": listing.rows_a_page,
        "page_size": listing.page_size.text(),
        "requests": listing.requests,
        "request_seconds": round(listing.request_seconds, 3),
        "quarantined": listing.quarantined,
        "left_out": listing.left_out,
        "conflicts": listing.conflicts,
        "new_fields": json.dumps(sorted(listing.new_fields)),
        "missing_fields": json.dumps(sorted(listing.missing_fields)),
        "parent_row": None if listing.resumed else listing.parent_row,
        "final": listing.read_at > life.over_at(grace),
        "ended_at": life.ended_at.isoformat(),
        "ours": True,
        "failures": 0,
        **_changes(listing),
    }


def _identity(name: str, listing: ListResult) -> dict[str, Any]:
    return {LIST_COLUMN: name, "resource": listing.resource, "parent": _storable(listing.parent)}


def _storable(text: str | None) -> str | None:
    """Return a text that every warehouse accepts; it may contain anything that a server sent."""
    return text and text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
