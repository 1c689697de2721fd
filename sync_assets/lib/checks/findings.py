"""The evidence that a check looks at, and the finding that it returns."""

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
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.warehouse.queries import TableStats
from sync_assets.warehouse.state.list_history import ListHistory

#: How long a change is reported if no other sync follows.
REPORTED_FOR = timedelta(days=7)
TIMES = {"oldest_sync", "oldest_proof"}
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@dataclass(frozen=True)
class Finding:
    """The result of a check: whether it passed, its severity otherwise, and its metadata."""

    passed: bool
    metadata: Mapping[str, Any]
    severity: dg.AssetCheckSeverity = WARN

    def evaluation(self, asset: dg.AssetKey, check: str) -> dg.AssetCheckEvaluation:
        """Return the finding as Dagster records it outside of runs."""
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
        """The numbers in its metadata."""
        return {k: v for k, v in self.metadata.items() if isinstance(v, float)}

    @property
    def gist(self) -> str:
        """What distinguishes it from other findings of the same check, apart from times."""
        shown = {k: v for k, v in self.metadata.items() if k not in TIMES}
        return f"{self.passed} {json.dumps(shown, sort_keys=True)}"

    def told_again(self, gist: str) -> bool:
        """Whether a finding with that gist had the same result."""
        return gist.startswith(f"{self.passed} ")

    def result(self, key: dg.AssetCheckKey) -> dg.AssetCheckResult:
        """Return the finding as a run yields it."""
        return dg.AssetCheckResult(
            passed=self.passed,
            asset_key=key.asset_key,
            check_name=key.name,
            severity=self.severity,
            metadata=self.metadata,
        )


@dataclass(frozen=True)
class Evidence:
    """What a check may look at: one resource's table, the history and freshness of its lists.

    `declared` are its columns; `unread` names dates of its rows that could not be read. `began` is
    when the run began that evaluates the check, and `now` is the time. `plan` is the forecast of
    the source, given to one asset only.
    """

    stats: TableStats
    histories: Sequence[ListHistory]
    freshness: Sequence[ListFreshness]
    settings: AutomationSettings
    declared: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    began: datetime = FOREVER
    now: datetime = field(default_factory=lambda: times.now())
    plan: Forecast | None = None

    def is_news(self, recorded: datetime | None) -> bool:
        """Whether what a sync recorded is still reported: by its own run, and until the next sync.

        If no other sync follows, it is reported for a week.
        """
        when = times.known(recorded, self.now)
        if when > self.began:
            return True
        last = max(
            (times.known(history.recorded_at, self.now) for history in self.histories), default=EVER
        )
        return when > EVER and last <= when and self.now - when < REPORTED_FOR
