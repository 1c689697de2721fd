"""What a check looks at, and what it finds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from sync_assets.base import times
from sync_assets.base.times import EVER, FOREVER
from sync_assets.planning.forecast import Forecast
from sync_assets.planning.freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.warehouse.queries import TableStats
from sync_assets.warehouse.state.list_history import ListHistory

#: What no other sync follows is news for so long.
TOLD_FOR = timedelta(days=7)
TIMES = {"oldest_sync", "oldest_proof"}
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
            metadata={k: dg.MetadataValue.json(v) if isinstance(v, (list, dict)) else v
                      for k, v in self.metadata.items()},
        )  # fmt: skip

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers that it tells."""
        return {k: v for k, v in self.metadata.items() if isinstance(v, float)}

    @property
    def gist(self) -> str:
        """What tells it from another finding of the same check: not the passing of time."""
        told = {k: v for k, v in self.metadata.items() if k not in TIMES}
        return f"{self.passed} {json.dumps(told, sort_keys=True)}"

    def told_again(self, gist: str) -> bool:
        """Whether a finding of that gist passed, or did not, as this one does."""
        return gist.startswith(f"{self.passed} ")

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
    """All that a check may look at: one resource's tables, pasts and verdicts.

    `declared` are its columns, `unread` names what could not be read of its rows' dates. `began`
    is when the run began that checks, `now` the time, `plan` that of the source, for the one asset
    that tells it.
    """

    facts: TableStats
    histories: Sequence[ListHistory]
    verdicts: Sequence[ListFreshness]
    settings: AutomationSettings
    declared: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    began: datetime = FOREVER
    now: datetime = field(default_factory=lambda: times.now())
    plan: Forecast | None = None

    def is_news(self, recorded: datetime | None) -> bool:
        """Whether what a sync recorded is still to be told: by its run, or until the next sync.

        Where no other sync follows it is news for a week.
        """
        when = times.known(recorded, self.now)
        if when > self.began:
            return True
        last = max(
            (times.known(history.recorded_at, self.now) for history in self.histories), default=EVER
        )
        return when > EVER and last <= when and self.now - when < TOLD_FOR
