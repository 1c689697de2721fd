"""Sensors and schedules of an account whose quota the plan does not fit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets_tests.support.dagster_world import DagsterRuns, keys_of, resources_of
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long

START = times.now()
#: Two tables an hour and ten lists a night are 58 requests a day; a third of it is allowed.
A_THIRTIETH = "1/4470"


@pytest.fixture
def short(synced: DagsterRuns, world: World, monkeypatch: pytest.MonkeyPatch) -> DagsterRuns:
    """Three promotions, of which the second ended; all is stale."""
    world.monkeypatch.delenv("SOURCES__PROMOTIONS__REQUESTS_PER_MINUTE")
    world.configure("promotions", QUOTA=A_THIRTIETH, QUOTA_RESERVE="0")
    monkeypatch.setattr(times, "now", lambda: START + timedelta(hours=27))
    return synced


@pytest.fixture
def plenty(short: DagsterRuns, world: World) -> DagsterRuns:
    """The same with a quota that the plan fits."""
    world.configure("promotions", QUOTA="100/4470")
    return short


Lists = Callable[[DagsterRuns], list[str]]


def by_sensor(runs: DagsterRuns) -> list[str]:
    result = runs.tick("promotions_freshness")
    assert isinstance(result, dg.SensorResult)
    return requested(list(result.run_requests or []))


def by_schedules(runs: DagsterRuns) -> list[str]:
    names = ("promotions_hourly", "promotions_promotions_hourly")
    return requested([request for name in names for request in runs.schedule(name)])


def requested(requests: list[dg.RunRequest]) -> list[str]:
    """The lists that requests are for: `users` for a table, `users/1` for a partition."""
    return sorted(
        f"{resource}{key}"
        for request in requests
        for resource in resources_of(request)
        for key in [f"/{key}" for key in keys_of(request)] or [""]
    )


BELOW = ("participations", "prizes", "rankings", "stages", "users")


@pytest.mark.parametrize("ask", [by_sensor, by_schedules])
def test_what_fits_is_asked_for(short: DagsterRuns, ask: Lists) -> None:
    asked = ask(short)
    tables = [one for one in asked if "/" not in one]
    (key,) = {one.partition("/")[2] for one in asked if "/" in one}
    assert len(tables) == 1
    assert asked == sorted([*tables, *(f"{name}/{key}" for name in BELOW)])


@pytest.mark.parametrize("ask", [by_sensor, by_schedules])
def test_all_is_asked_for_where_it_fits(plenty: DagsterRuns, ask: Lists) -> None:
    below = [f"{name}/{key}" for name in BELOW for key in "13"]
    assert ask(plenty) == sorted(["promotions", "organizing_brands", *below])


def test_what_is_under_way_counts(short: DagsterRuns) -> None:
    table = frozenset([dg.AssetKey(["promotions", "promotions"])])
    short.begin(table, {}, dg.DagsterRunStatus.STARTED)
    assert {one.partition("/")[2] for one in by_sensor(short)} <= {"1", "3"}
    assert short.schedule("promotions_hourly") == []


def plan(runs: DagsterRuns) -> dg.AssetCheckEvaluation:
    assert runs.run("promotions/promotions").success
    return runs.check("promotions/promotions", "plan_fits")


def test_the_check_tells_what_is_impossible_and_what_is_possible(short: DagsterRuns) -> None:
    check = plan(short)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    told: dict[str, Any] = {name: value.value for name, value in check.metadata.items()}
    assert told["requests_a_day"] == pytest.approx(576.2, abs=0.1)
    assert told["quota_share"] == pytest.approx(29.8, abs=0.05)
    expected = "it asks for 576 requests a day, 2981% of the 19 that the quota allows"
    assert told["problems"] == expected
    assert told["plan_that_fits"] == (
        'AUTOMATION__PROMOTIONS__TABLES_SCHEDULE="0 */6 * * *" '
        'AUTOMATION__PROMOTIONS__TABLES_MAX_AGE="11" '
        'AUTOMATION__PROMOTIONS__PARTITIONS_SCHEDULE="0 3 * * *" '
        'AUTOMATION__PROMOTIONS__PARTITIONS_MAX_AGE="48"'
    )
    assert told["assets"]["users"]["requests_a_day"] == pytest.approx(96.04, abs=0.01)


def test_the_check_passes_where_the_plan_fits_and_its_numbers_are_plotted(
    plenty: DagsterRuns,
) -> None:
    check = plan(plenty)
    assert check.passed
    assert "plan_that_fits" not in check.metadata
    key = dg.AssetKey(["promotions", "promotions"])
    (record,) = plenty.instance.fetch_observations(key, limit=1).records
    assert record.asset_observation is not None
    plotted: dict[str, Any] = {
        name: value.value for name, value in record.asset_observation.metadata.items()
    }
    assert plotted["quota_share"] == pytest.approx(0.298, abs=0.001)
    assert {"requests_a_day", "tables_minutes", "full_sync_minutes"} <= plotted.keys()
