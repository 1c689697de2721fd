"""Stale, failing and never synced lists are requested once, and the check names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from sync_assets.base import times
from sync_assets.lib.automation.freshness_sensor import within_budget
from sync_assets.lib.automation.run_requests import PlannedRun
from sync_assets.lib.automation.sensor_cursor import SensorCursor
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.promotions import API
from sync_assets.sources.rest.life import Stage
from sync_assets.warehouse.connection.lock import single_writer
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets_tests.support.dagster_world import (
    LOADED,
    PARTITION_SENSOR,
    DagsterRuns,
    keys_of,
    lists_of,
    resources_of,
)
from sync_assets_tests.support.run_tags import range_tags
from sync_assets_tests.support.world import World

SENSOR = "promotions_freshness"
START = times.now()
TABLES = {"promotions", "organizing_brands"}
CHILDREN = {"stages", "users", "participations", "prizes", "rankings"}
Later = Callable[..., None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Move the clock to so long after the first sync."""

    def move(**by: float) -> None:
        now: datetime = START + timedelta(**by)
        monkeypatch.setattr(times, "now", lambda: now)

    return move


def wanted(result: dg.SensorResult | dg.SkipReason) -> list[tuple[set[str], list[str]]]:
    """The runs that a sensor requests: resources and keys, group by group."""
    assert isinstance(result, dg.SensorResult)
    return [
        group
        for request in result.run_requests or []
        for group in [(set(one["resources"]), one["keys"]) for one in lists_of(request)]
        or [(resources_of(request), [])]
    ]


def cursor(result: dg.SensorResult | dg.SkipReason) -> str:
    assert isinstance(result, dg.SensorResult)
    return str(result.cursor)


def test_tables_that_were_never_synced_are_requested_once(runs: DagsterRuns) -> None:
    first = runs.tick(SENSOR)
    assert wanted(first) == [(TABLES, [])]
    assert wanted(runs.tick(SENSOR, cursor(first))) == []


def test_what_is_fresh_is_left_alone(synced: DagsterRuns) -> None:
    result = synced.tick(SENSOR)
    assert wanted(result) == []
    assert "everything is fresh" in str(getattr(result, "skip_reason", ""))


def test_tables_and_live_partitions_that_got_stale_are_requested_and_no_others(
    synced: DagsterRuns, later: Later
) -> None:
    later(hours=3)
    assert wanted(synced.tick(SENSOR)) == [
        (TABLES, []),
        (CHILDREN, ["1", "3"]),
    ]


@pytest.mark.long
def test_what_is_stale_is_fresh_after_its_run(synced: DagsterRuns, later: Later) -> None:
    later(hours=27)
    result = synced.tick(SENSOR)
    assert isinstance(result, dg.SensorResult)
    assert json.loads(cursor(result))["published"] == {}
    for request in result.run_requests or []:
        assert synced.run_request(request).success
    after = synced.tick(SENSOR, cursor(result))
    assert wanted(after) == []
    assert synced.check("promotions/users", "fresh").passed
    assert json.loads(cursor(after))["asked"] == {}


@pytest.mark.long
def test_an_ended_partition_is_synced_once_more_and_then_after_a_month(
    synced: DagsterRuns, later: Later
) -> None:
    later(days=8)
    assert synced.run("promotions/promotions", "promotions/organizing_brands").success
    result = synced.tick(SENSOR)
    assert isinstance(result, dg.SensorResult)
    assert [keys for _, keys in wanted(result)] == [["1", "3"]]
    for request in result.run_requests or []:
        assert synced.run_request(request).success
    later(days=30)
    assert synced.run("promotions/promotions", "promotions/organizing_brands").success
    assert wanted(synced.tick(SENSOR)) == [(CHILDREN, ["2"])]
    later(days=38)
    assert synced.run("promotions/promotions", "promotions/organizing_brands").success
    assert wanted(synced.tick(SENSOR)) == [(CHILDREN, ["2", "1", "3"])]
    assert synced.check("promotions/users", "fresh").passed


@pytest.mark.long
def test_a_failing_list_is_asked_for_after_ever_longer_pauses(
    synced: DagsterRuns, world: World, later: Later
) -> None:
    world.api.fail("/users/1", status=500)
    later(minutes=1)
    assert not synced.run("promotions/users", partition="1").success
    seen, at, memory = list[Any](), 1.0, None
    while len(seen) < 4:
        at += 0.5
        later(minutes=at)
        result = synced.tick(SENSOR, memory)
        memory = cursor(result)
        for request in getattr(result, "run_requests", None) or []:
            groups = [one for one in lists_of(request) if "1" in one["keys"]]
            if any("users" in one["resources"] for one in groups):  # others get older meanwhile
                assert not synced.run_request(request).success
                seen.append(at)
    pauses = [after - before for before, after in zip([1.0, *seen], seen, strict=False)]
    assert pauses == [2, 4, 8, 16]
    world.api.heal()
    later(minutes=at + 32)
    requests = getattr(synced.tick(SENSOR, memory), "run_requests", None) or []
    assert all(synced.run_request(request).success for request in requests)
    assert synced.materialized("promotions/users") == {"1", "2", "3"}


def test_the_check_names_exactly_what_fails(synced: DagsterRuns, world: World) -> None:
    world.api.fail("/users/3", status=500)
    synced.run_range("promotions", "promotions/users", "promotions/stages")
    synced.tick(SENSOR)
    check = synced.check("promotions/users", "fresh")
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["failing_keys"].value == ["3"]
    assert "users of 3, page 1" in str(check.metadata["first_error"].value)
    assert synced.check("promotions/stages", "fresh").passed


@pytest.mark.long
def test_a_check_is_published_when_it_says_something_new(synced: DagsterRuns, world: World) -> None:
    first = synced.tick(SENSOR)
    again = synced.tick(SENSOR, cursor(first))
    world.api.fail("/users/3", status=500)
    synced.run("promotions/users", partition="3")
    failed = synced.tick(SENSOR, cursor(again))
    events = [getattr(result, "asset_events", None) or [] for result in (first, again, failed)]
    assert [len(published) for published in events] == [14, 0, 1], "fresh and proven of 7"


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
@pytest.mark.parametrize(
    "tags",
    [
        {"dagster/partition": "1"},
        {"dagster/asset_partition_range_start": "1", "dagster/asset_partition_range_end": "2"},
    ],
)
def test_what_is_under_way_is_not_requested_again(
    synced: DagsterRuns, later: Later, status: DagsterRunStatus, tags: dict[str, str]
) -> None:
    later(hours=27)
    selection = frozenset(
        dg.AssetKey(["promotions", name]) for name in ("users", "stages", "prizes")
    )
    synced.begin(selection, tags, status)
    free = {"participations", "rankings"}
    assert wanted(synced.tick(SENSOR))[1:] == [(free, ["1"]), (CHILDREN, ["3"])]


def test_a_run_that_leaves_nothing_behind_is_not_requested_at_once_again(
    synced: DagsterRuns, later: Later, world: World
) -> None:
    world.monkeypatch.delenv("SOURCES__PROMOTIONS__BEARER_TOKEN")
    later(hours=3)
    result = synced.tick(SENSOR)
    requests = getattr(result, "run_requests", None) or []
    assert [synced.run_request(request).success for request in requests] == [False, False]
    later(hours=3, minutes=1)
    again = synced.tick(SENSOR, cursor(result))
    assert wanted(again) == []
    later(hours=3, minutes=3)
    assert wanted(synced.tick(SENSOR, cursor(again))) == wanted(result)


def test_a_tick_keeps_to_its_budget_oldest_first() -> None:
    settings = AutomationSettings(keys_per_tick=3, runs_per_tick=2)
    (parent,) = API.parents
    runs = [
        PlannedRun(START, parent=parent, below=dict.fromkeys(keys, ("users",)))
        for keys in (("1", "2"), ("5", "4"), ("7",))
    ]
    assert [[*run.below] for run in within_budget(runs, settings)] == [["1", "2"], ["5"]]
    settings.runs_per_tick = 1
    assert [[*run.below] for run in within_budget(runs, settings)] == [["1", "2"]]


@pytest.mark.long
def test_the_oldest_rows_are_replaced_first(synced: DagsterRuns, later: Later) -> None:
    later(hours=1)
    assert synced.run(*(f"promotions/{name}" for name in CHILDREN), partition="1").success
    later(hours=30)
    assert [keys for _, keys in wanted(synced.tick(SENSOR))] == [[], ["3", "1"]]


def test_a_busy_warehouse_is_looked_at_later(synced: DagsterRuns, world: World) -> None:
    world.monkeypatch.setattr("sync_assets.warehouse.queries.LOCK_TIMEOUT_SECONDS", 0.2)
    with single_writer(world.folder / "warehouse.duckdb", print):
        result = synced.tick(SENSOR)
    assert isinstance(result, dg.SkipReason)
    assert "in use by another sync" in str(result.skip_message)


@pytest.mark.long
def test_the_schedule_requests_live_partitions_that_are_due(
    synced: DagsterRuns, later: Later
) -> None:
    later(minutes=31)
    requests = synced.schedule("promotions_promotions_hourly")
    assert [keys_of(request) for request in requests] == [["1", "3"]]
    run = synced.run_request(requests[0])
    assert run.success
    assert {e.partition for e in run.get_asset_materialization_events()} == {"1", "3"}


@pytest.mark.long
def test_schedules_leave_out_what_is_under_way(synced: DagsterRuns, later: Later) -> None:
    later(minutes=31)
    users, tables = (
        frozenset(dg.AssetKey(["promotions", name]) for name in names)
        for names in (["users"], ["promotions", "organizing_brands"])
    )
    synced.begin(users, range_tags(["1"]), DagsterRunStatus.STARTED)
    other = LOADED.resolve_job_def("retention")
    synced.instance.create_run_for_job(other, status=DagsterRunStatus.STARTED)
    below = dg.SensorResult(synced.schedule("promotions_promotions_hourly"))
    assert sorted(wanted(below), key=lambda run: run[1]) == [
        (CHILDREN - {"users"}, ["1"]),
        (CHILDREN, ["3"]),
    ]
    (hourly,) = synced.schedule("promotions_hourly")
    assert {*(hourly.asset_selection or [])} == tables
    synced.begin(frozenset(sorted(tables)[:1]), {}, DagsterRunStatus.STARTED)
    (hourly,) = synced.schedule("promotions_hourly")
    assert hourly.asset_selection == sorted(tables)[1:]
    synced.begin(tables, {}, DagsterRunStatus.STARTED)
    assert synced.schedule("promotions_hourly") == []


def test_the_schedule_skips_where_nothing_is_known(runs: DagsterRuns) -> None:
    assert runs.schedule("events_event_series_hourly") == []


@pytest.mark.long
def test_a_partition_that_returns_is_synced_when_it_is_due(
    synced: DagsterRuns, world: World, later: Later
) -> None:
    listed, follows = world.api.lists["/promotions"], None
    gone = listed.pop(0)
    for _ in range(2):
        assert synced.run("promotions/promotions").success
        follows = cursor(synced.tick(PARTITION_SENSOR, follows))
    assert synced.instance.get_dynamic_partitions("promotions") == ["2", "3"]
    listed.append(gone)
    assert synced.run("promotions/promotions").success
    assert wanted(synced.tick(PARTITION_SENSOR, follows)) == []
    assert synced.instance.get_dynamic_partitions("promotions") == ["2", "3", "1"]
    assert "1" not in {key for _, keys in wanted(synced.tick(SENSOR)) for key in keys}
    later(hours=27)
    assert "1" in {key for _, keys in wanted(synced.tick(SENSOR)) for key in keys}


@pytest.mark.parametrize(("hours", "told"), [(4, False), (6, True)])
def test_what_is_under_way_for_too_long_is_told_as_stale(
    synced: DagsterRuns, later: Later, hours: float, told: bool
) -> None:
    """A backfill that is stuck holds up nothing but its own lists."""
    brands = dg.AssetKey(["promotions", "organizing_brands"])
    later(hours=hours)
    synced.begin(frozenset([brands]), {}, DagsterRunStatus.STARTED)
    first = synced.tick(SENSOR)
    events = [e for e in getattr(first, "asset_events", None) or [] if e.asset_key == brands]
    assert {event.check_name: event.passed for event in events} == (
        {"fresh": False, "proven": True} if told else {}
    )
    later(hours=hours + 0.1)
    second = synced.tick(SENSOR, cursor(first))
    assert not [e for e in getattr(second, "asset_events", None) or [] if e.asset_key == brands]


def test_what_was_never_synced_and_is_under_way_for_too_long_is_told(
    runs: DagsterRuns, later: Later
) -> None:
    tables = frozenset(dg.AssetKey(["promotions", name]) for name in sorted(TABLES))
    runs.begin(tables, {}, DagsterRunStatus.STARTED)
    told, memory = [], None
    for hours in (0, 5, 7, 8):
        later(hours=hours)
        result = runs.tick(SENSOR, memory)
        memory = cursor(result)
        told.append(len(getattr(result, "asset_events", None) or []))
    assert told == [0, 0, 4, 0], "fresh and proven of two tables"


NOT_A_MEMORY = [
    "", "garbage", "[]", "null", "5", "{", "[" * 100_000,
    '{"asked": 5, "published": [], "unsynced": "x"}',
    '{"asked": {"a": 5, "b": ["x", 1], "c": [], "d": ["2026-01-01T00:00:00+00:00", "x"]}}',
    '{"asked": {"users": ["9999-12-31T23:59:59+00:00", 99999999]}, "more": {"a": 1}}',
    '{"published": {"users": 5}, "unsynced": {"users": "soon"}}',
]  # fmt: skip


@pytest.mark.parametrize("found", NOT_A_MEMORY)
def test_a_cursor_of_any_form_is_a_memory(found: str) -> None:
    memory = SensorCursor.read(found)
    assert SensorCursor.read(memory.write()) == memory
    history = ListHistory("users", "1", failures=5, failed_at=START + timedelta(days=4000))
    never = ListFreshness(
        "users", "1", True, history, Stage.LIVE, stale=True, overdue=True, unproven=True,
        to_sweep=True, unsettled=False, due=False, retry_at=START,
    )  # fmt: skip
    memory.see([never], START)
    assert memory.may_ask(never, AutomationSettings(), START)
    memory.ask([never], START)
    assert not memory.may_ask(never, AutomationSettings(), START)


def test_the_memory_of_an_earlier_version_is_understood() -> None:
    earlier = {"asked": {"users/1": [START.isoformat(), 3]}, "published": {"users": "True {}"}}
    memory = SensorCursor.read(json.dumps(earlier))
    assert memory.asked == {"users/1": (START, 3)}
    assert memory.published == {"users": "True {}"}


def test_a_tick_goes_on_from_a_cursor_of_any_form(synced: DagsterRuns) -> None:
    for found in NOT_A_MEMORY[1:4]:
        assert "everything is fresh" in str(getattr(synced.tick(SENSOR, found), "skip_reason", ""))


def test_a_promotion_without_an_end_stops_no_tick(
    synced: DagsterRuns, world: World, later: Later
) -> None:
    later(minutes=31)
    for end in ("9999-12-31T23:59:59Z", "10000-01-01", "0000-00-00", "x", "1e999", "-1"):
        world.query("UPDATE promotions.promotions SET end_date = ? WHERE id = '2'", end)
        assert isinstance(synced.tick(SENSOR), dg.SensorResult)
        assert synced.schedule("promotions_promotions_hourly")
    listed = world.api.lists["/promotions"]
    listed[1]["end_date"] = "9999-12-31T23:59:59Z"
    assert synced.run("promotions/promotions").success
