"""Storage does not grow with the years: what a day adds, the retention of a later one removes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_assets_tests.benchmark.year import play

pytestmark = pytest.mark.long


def test_storage_at_day_four_is_what_it_was_at_day_two(tmp_path: Path) -> None:
    """Every four hours, with one day kept; `benchmark.year` plays longer stories."""
    _, second, _, fourth = play(tmp_path, days=4, keep_days=1, retain_every=1, step=4)
    assert fourth.runs == second.runs
    assert fourth.events == second.events
    assert fourth.evaluations == second.evaluations
    assert (fourth.loads, fourth.schemas) == (second.loads, second.schemas)
    assert fourth.dagster_kb <= second.dagster_kb * 1.05
    assert fourth.warehouse_kb <= second.warehouse_kb * 1.2
    assert fourth.scratch == 0
