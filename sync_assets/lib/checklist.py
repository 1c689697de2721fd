"""The asset checks: what must hold of a resource's rows, and what is found to hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from sync_assets.lib.freshness import Verdict
from sync_assets.lib.keys import in_order, partition_key
from sync_assets.lib.settings import AutomationSettings
from sync_assets.sources.rest.listing import REQUIRED
from sync_assets.warehouse.history import Past
from sync_assets.warehouse.look import Facts

SAMPLES = 20
FRESH = "fresh"
TIMES = {"oldest_sync"}
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@dataclass(frozen=True)
class Finding:
    """What a check found: whether it holds, how bad it is where it does not, and the numbers."""

    passed: bool
    metadata: Mapping[str, Any]
    severity: dg.AssetCheckSeverity = WARN

    def evaluation(self, asset: dg.AssetKey, check: str) -> dg.AssetCheckEvaluation:
        """The finding as Dagster records it outside of runs."""
        return dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=check,
            passed=self.passed,
            severity=self.severity,
            metadata={k: dg.MetadataValue.json(v) if isinstance(v, list) else v
                      for k, v in self.metadata.items()},
        )  # fmt: skip

    @property
    def gist(self) -> str:
        """What tells it from another finding of the same check: not the passing of time."""
        told = {k: v for k, v in self.metadata.items() if k not in TIMES}
        return f"{self.passed} {json.dumps(told, sort_keys=True)}"

    def result(self, key: dg.AssetCheckKey) -> dg.AssetCheckResult:
        """The finding as a run yields it."""
        return dg.AssetCheckResult(
            passed=self.passed,
            asset_key=key.asset_key,
            check_name=key.name,
            severity=self.severity,
            metadata=self.metadata,
        )


@dataclass(frozen=True)
class Evidence:
    """All that a check may look at: one resource's tables, pasts and verdicts."""

    facts: Facts
    pasts: Sequence[Past]
    verdicts: Sequence[Verdict]
    settings: AutomationSettings


def fresh(verdicts: Sequence[Verdict], settings: AutomationSettings) -> Finding:
    """Nothing that may still change is older than allowed, and the last attempts went well."""
    stale = [v for v in verdicts if v.stale]
    failing = [v for v in verdicts if v.failing]
    unsettled = [v for v in verdicts if v.unsettled and not v.failing]
    partitioned = any(v.partitioned for v in verdicts)
    live = [v for v in verdicts if v.live]
    oldest = min((v.synced_at for v in live if v.past.synced_at), default=None)
    return Finding(
        not stale and not failing,
        {
            "live": len(live),
            "ended": len(verdicts) - len(live),
            "max_age_hours": settings.max_age(partitioned=partitioned).total_seconds() / 3600,
            "oldest_sync": oldest.isoformat(timespec="seconds") if oldest else "never",
            **_named("stale", stale),
            **_named("failing", failing),
            **_named("ended_since_last_sync", unsettled),
            "first_error": next((str(v.past.error) for v in failing), ""),
        },
        ERROR if stale else WARN,
    )


def records_as_declared(evidence: Evidence) -> Finding:
    """No record of the last syncs is in quarantine."""
    reasons = evidence.facts.quarantined
    return Finding(not reasons, {"quarantined": len(reasons), "reasons": reasons[:SAMPLES]})


def required_fields(evidence: Evidence) -> Finding:
    """No record was left out of the table because a required field was missing."""
    left_out = evidence.facts.reasons(REQUIRED)
    return Finding(
        not left_out,
        {
            "rows": evidence.facts.rows,
            "left_out": len(left_out),
            "reasons": left_out[:SAMPLES],
        },
        ERROR,
    )


def keys_unique(evidence: Evidence) -> Finding:
    """No two rows have the same primary key, and none has a null in it."""
    facts = evidence.facts
    return Finding(
        not facts.duplicated_keys and not facts.null_keys,
        {
            "rows": facts.rows,
            "duplicated_keys": facts.duplicated_keys,
            "null_keys": facts.null_keys,
        },
        ERROR,
    )


def parents_exist(evidence: Evidence) -> Finding:
    """Every row's parent is in the parent's table; the prune job removes rows of others."""
    orphans = evidence.facts.orphans
    return Finding(
        not orphans,
        {
            "rows": evidence.facts.rows,
            "rows_without_parent": sum(orphans.values()),
            "vanished_parents": len(orphans),
            "parents": in_order(str(parent) for parent in orphans)[:SAMPLES],
            "remedy": "none needed" if not orphans else "the prune job; it begins with a dry run",
        },
    )


def row_count(evidence: Evidence) -> Finding:
    """No list lost more of its rows at its last sync than `AUTOMATION__ROW_DROP` allows."""
    limit = evidence.settings.row_drop
    dropped = [p for p in evidence.pasts if p.rows < p.rows_before * (1 - limit)]
    return Finding(
        not dropped,
        {
            "rows": sum(past.rows for past in evidence.pasts),
            "allowed_drop": limit,
            "dropped": len(dropped),
            "lists": [
                f"{past.parent or past.resource}: {past.rows_before} to {past.rows}"
                for past in dropped[:SAMPLES]
            ],
        },
    )


def fields_as_declared(evidence: Evidence) -> Finding:
    """The API sends the fields that are declared: no new one, none missing everywhere."""
    filled = [past for past in evidence.pasts if past.rows]
    new = frozenset().union(*(past.new_fields for past in filled))
    missing = frozenset.intersection(*(past.missing_fields for past in filled)) if filled else ()
    return Finding(
        not new and not missing,
        {
            "new_fields": sorted(new),
            "missing_fields": sorted(missing),
            "mistyped": len(evidence.facts.quarantined),
        },
    )


def is_fresh(evidence: Evidence) -> Finding:
    """Every live list was synced lately, and the last attempts went well."""
    return fresh(evidence.verdicts, evidence.settings)


Check = Callable[[Evidence], Finding]
CHECKS: dict[str, Check] = {
    FRESH: is_fresh,
    "records_as_declared": records_as_declared,
    "required_fields": required_fields,
    "keys_unique": keys_unique,
    "row_count": row_count,
    "fields_as_declared": fields_as_declared,
}
CHILD_CHECKS: dict[str, Check] = {"parents_exist": parents_exist}


def _named(what: str, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """A number, and the partition keys or, of a table, when it was synced."""
    found = list(verdicts)
    keys = in_order(partition_key(v.parent) for v in found if v.parent is not None)
    return {what: len(found), **({f"{what}_keys": keys[:SAMPLES]} if keys else {})}
