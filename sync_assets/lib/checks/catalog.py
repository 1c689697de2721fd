"""The asset checks: each takes the evidence of a resource and returns a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sync_assets.base.times import EVER
from sync_assets.lib.checks.findings import ERROR, WARN, Evidence, Finding
from sync_assets.lib.checks.plan import PLAN_FITS, plan_fits
from sync_assets.lib.keys import in_order, partition_key
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.life import Stage
from sync_assets.sources.rest.list_result import CONFLICT, REQUIRED
from sync_assets.warehouse.state.drift import DATES, MISSING, NEW, differences, known
from sync_assets.warehouse.state.list_history import ListHistory

SAMPLES = 20
FRESH, PROVEN = "fresh", "proven"


def fresh(freshness: Sequence[ListFreshness], settings: AutomationSettings) -> Finding:
    """Return whether the lists that may still change are fresh; the finding of `is_fresh`."""
    stale = [v for v in freshness if v.stale]
    failing = [v for v in freshness if v.failing]
    unsettled = [v for v in freshness if v.unsettled and not v.failing]
    partitioned = any(v.partitioned for v in freshness)
    stages = Counter(v.stage for v in freshness)
    oldest = min(
        (v.fresh_at for v in freshness if v.history.synced_at and not v.over), default=None
    )
    return Finding(
        not stale and not failing,
        {
            "planned": stages[Stage.BEFORE],
            "live": stages[Stage.LIVE],
            "ended": stages[Stage.OVER],
            "max_age_hours": settings.max_age(partitioned=partitioned).total_seconds() / 3600,
            "oldest_sync": oldest.isoformat(timespec="seconds") if oldest else "never",
            **_named("stale", stale),
            **_named("failing", failing),
            **_named("ended_since_last_sync", unsettled),
            **_named("unreadable_dates", [v for v in freshness if v.unread]),
            "unreadable": sorted({name for v in freshness for name in v.unread})[:SAMPLES],
            "first_error": next((str(v.history.error) for v in failing), ""),
        },
        ERROR if stale else WARN,
    )


def proven(freshness: Sequence[ListFreshness], settings: AutomationSettings) -> Finding:
    """Every list that may still change was swept within its maximum age, not only read by heads.

    A list that is stale is reported by `fresh` alone.
    """
    unproven = [v for v in freshness if v.unproven]
    partitioned = any(v.partitioned for v in freshness)
    oldest = min((v.proven_at for v in freshness if not v.over), default=EVER)
    return Finding(
        all(v.stale for v in unproven),
        {
            "max_age_hours": settings.proven_age(partitioned=partitioned).total_seconds() / 3600,
            "oldest_proof": oldest.isoformat(timespec="seconds") if oldest > EVER else "never",
            **_named("unproven", unproven),
        },
        ERROR,
    )


def records_as_declared(evidence: Evidence) -> Finding:
    """No record of the last syncs is in quarantine."""
    reasons = evidence.stats.quarantined
    quarantined = _of_all(evidence, lambda history: history.quarantined, reasons)
    return Finding(
        not quarantined,
        {"quarantined": quarantined, "kept": len(reasons), "reasons": reasons[:SAMPLES]},
    )


def required_fields(evidence: Evidence) -> Finding:
    """No record was left out of the table because a required field was missing."""
    reasons = evidence.stats.reasons(REQUIRED)
    left_out = _of_all(evidence, lambda history: history.left_out - history.conflicts, reasons)
    return Finding(
        not left_out,
        {"rows": evidence.stats.rows, "left_out": left_out, "reasons": reasons[:SAMPLES]},
        ERROR,
    )


def values_convert(evidence: Evidence) -> Finding:
    """The typed view converts every value that the table holds; it shows null for any other."""
    uncast = evidence.stats.uncast
    return Finding(
        not uncast,
        {
            "rows": evidence.stats.rows,
            "not_converted": sum(uncast.values()),
            **({"columns": dict(sorted(uncast.items()))} if uncast else {}),
        },
    )


def keys_unique(evidence: Evidence) -> Finding:
    """No primary key occurs twice or contains a null, and no two records with one key differ."""
    stats = evidence.stats
    reasons = stats.reasons(CONFLICT)
    conflicting = _of_all(evidence, lambda history: history.conflicts, reasons)
    return Finding(
        not stats.duplicated_keys and not stats.null_keys and not conflicting,
        {
            "rows": stats.rows,
            "duplicated_keys": stats.duplicated_keys,
            "null_keys": stats.null_keys,
            **({"conflicting_keys": conflicting} if conflicting else {}),
            **({"conflicts": reasons[:SAMPLES]} if reasons else {}),
        },
        ERROR,
    )


def parents_exist(evidence: Evidence) -> Finding:
    """The parent of every row is in the parent's table; the prune job removes other rows."""
    orphans = evidence.stats.orphans
    return Finding(
        not orphans,
        {
            "rows": evidence.stats.rows,
            "rows_without_parent": sum(orphans.values()),
            "vanished_parents": len(orphans),
            "parents": in_order(str(parent) for parent in orphans)[:SAMPLES],
            "remedy": "none needed" if not orphans else "the prune job; it begins with a dry run",
        },
    )


def row_count(evidence: Evidence) -> Finding:
    """No list lost more rows in one sync than `AUTOMATION__ROW_DROP` allows; reported once."""
    limit = evidence.settings.row_drop
    dropped = [
        history
        for history in evidence.histories
        if history.rows < history.rows_before * (1 - limit)
        and evidence.is_news(history.recorded_at)
    ]
    return Finding(
        not dropped,
        {
            "rows": sum(history.rows for history in evidence.histories),
            "allowed_drop": limit,
            "dropped": len(dropped),
            "lists": [
                f"{history.parent or history.resource}: {history.rows_before} to {history.rows}"
                for history in dropped[:SAMPLES]
            ],
        },
    )


def fields_as_declared(evidence: Evidence) -> Finding:
    """The API sends the fields that are known, no others and no fewer; reported once."""
    present = differences([history.differences for history in evidence.histories])
    present = {
        NEW: present[NEW] - evidence.declared,
        MISSING: present[MISSING] & evidence.declared,
        DATES: evidence.unread,
    }
    memory = known(history.known_fields for history in evidence.histories)
    since = {
        field: memory[kind][field].since if field in memory[kind] else EVER
        for kind, fields in present.items()
        for field in fields
    }
    changed = sorted(field for field, when in since.items() if evidence.is_news(when))
    return Finding(
        not changed,
        {
            "changed": changed,
            "new_fields": sorted(present[NEW]),
            "missing_fields": sorted(present[MISSING]),
            "unreadable_dates": sorted(present[DATES]),
            "since": {field: _day(when) for field, when in sorted(since.items())},
            "mistyped": len(evidence.stats.quarantined),
        },
    )


def is_fresh(evidence: Evidence) -> Finding:
    """Every list is younger than its maximum age, and its last attempt succeeded."""
    return fresh(evidence.freshness, evidence.settings)


def is_proven(evidence: Evidence) -> Finding:
    """Every live list was read to its end within its maximum age, not only by its head."""
    return proven(evidence.freshness, evidence.settings)


Check = Callable[[Evidence], Finding]
CHECKS: dict[str, Check] = {
    FRESH: is_fresh,
    PROVEN: is_proven,
    "records_as_declared": records_as_declared,
    "required_fields": required_fields,
    "keys_unique": keys_unique,
    "values_convert": values_convert,
    "row_count": row_count,
    "fields_as_declared": fields_as_declared,
}
#: The checks that fail for one sync only.
REPORTED_ONCE = {"row_count", "fields_as_declared"}
CHILD_CHECKS: dict[str, Check] = {"parents_exist": parents_exist}
#: Checks of one asset of each source.
SOURCE_CHECKS: dict[str, Check] = {PLAN_FITS: plan_fits}


def _of_all(evidence: Evidence, figure: Callable[[ListHistory], int], kept: Sequence[str]) -> int:
    """Sum a figure over all lists; versions that did not store it kept all records it counts."""
    lists = [
        history for history in evidence.histories if history.parent is not None
    ] or evidence.histories
    return max(sum(map(figure, lists)), len(kept))


def _day(when: datetime) -> str:
    return "earlier" if when == EVER else when.date().isoformat()


def _named(what: str, freshness: Iterable[ListFreshness]) -> dict[str, Any]:
    """Return how many lists there are under a name, and the partition keys of the first ones."""
    found = list(freshness)
    keys = in_order(partition_key(v.parent) for v in found if v.parent is not None)
    return {what: len(found), **({f"{what}_keys": keys[:SAMPLES]} if keys else {})}
