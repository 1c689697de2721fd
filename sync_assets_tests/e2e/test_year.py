"""Storage does not grow with the years: what a day adds, the retention of a later one removes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_assets_tests.benchmark.year import play
from sync_assets_tests.support.counts import Count

pytestmark = pytest.mark.long
DAYS = Count("days of six syncs, of which one is kept", sample=3, full=365)


@DAYS
def test_storage_on_the_last_day_is_what_it_was_on_the_second(tmp_path: Path) -> None:
    """Every four hours, with one day kept; `benchmark.year` plays longer stories."""
    _, second, *_, last = play(tmp_path, days=DAYS.size, keep_days=1, retain_every=1, step=4)
    assert last.runs == second.runs
    assert last.events == second.events
    assert last.evaluations == second.evaluations
    assert (last.loads, last.schemas) == (second.loads, second.schemas)
    assert last.dagster_kb <= second.dagster_kb * 1.05
    assert last.warehouse_kb <= second.warehouse_kb * 1.2
    assert last.scratch == 0
