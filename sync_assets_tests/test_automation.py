"""What each source calls live, and how automation is configured."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import dagster as dg
import pytest

from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.lib.settings import AutomationSettings, automation
from sync_assets.sources import apis, events, promotions
from sync_assets.sources.rest.api import ACTIVITY
from sync_assets.sources.rest.errors import ConfigurationError
from sync_assets.warehouse.look import state
from sync_assets_tests.conftest import World
from sync_assets_tests.dagster_world import LOADED

NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
AFFILIATES = apis()["affiliates"]


@pytest.mark.parametrize(
    ("start", "end", "live"),
    [
        (None, None, True),
        ("2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z", True),
        ("2026-06-02T00:00:00Z", "2026-07-01T00:00:00Z", False),
        ("2026-05-01T00:00:00Z", "2026-05-30T12:00:00Z", True),
        ("2026-05-01T00:00:00Z", "2026-05-30T11:59:59Z", False),
        ("2026-05-01T00:00:00+02:00", "2026-05-30T13:59:00+02:00", False),
        ("no date", "no date", True),
    ],
)
def test_a_promotion_is_live_until_two_days_after_its_end(
    start: str | None, end: str | None, live: bool
) -> None:
    assert promotions.is_live({"start_date": start, "end_date": end}, NOW) == live


@pytest.mark.parametrize(
    ("upcoming", "issued_hours_ago", "live"),
    [(1, None, True), (0, None, False), (None, None, True), (0, 47, True), (0, 49, False)],
)
def test_a_series_is_live_with_an_event_to_come_or_tickets_of_late(
    upcoming: int | None, issued_hours_ago: int | None, live: bool
) -> None:
    issued = issued_hours_ago and (NOW - timedelta(hours=issued_hours_ago)).timestamp()
    assert events.is_live({"upcoming_occurrences": upcoming, ACTIVITY: issued}, NOW) == live


def test_the_latest_ticket_of_a_series_keeps_it_live(world: World) -> None:
    now = datetime.now(timezone.utc).timestamp()
    world.api.lists["/event_series"] = [
        {"id": one, "upcoming_occurrences": 0} for one in ("es_1", "es_2", "es_3")
    ]
    world.api.lists["/issued_tickets"] = [
        {"id": "t1", "event_series_id": "es_1", "created_at": int(now) - 60},
        {"id": "t2", "event_series_id": "es_1", "created_at": 0},
        {"id": "t3", "event_series_id": "es_2", "created_at": 0},
    ]
    world.sync("events", "events_series", "issued_tickets")
    rows = state(apis()["events"]).parents["events_series"]
    live = {r["id"]: events.is_live(r, datetime.now(timezone.utc)) for r in rows}
    assert live == {"es_1": True, "es_2": False, "es_3": False}


def test_automation_is_switched_off_by_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION__ENABLED", "false")
    made = build_api_definitions(AFFILIATES)
    statuses = {
        one.default_status.value for one in [*(made.sensors or []), *(made.schedules or [])]
    }
    assert statuses == {"STOPPED"}


def test_a_setting_of_one_source_goes_before_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION__TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("AUTOMATION__TABLES_SCHEDULE", "5 * * * *")
    monkeypatch.setenv("AUTOMATION__EVENTS__TABLES_SCHEDULE", "*/10 * * * *")
    assert automation(apis()["events"]).tables_schedule == "*/10 * * * *"
    (schedule,) = build_api_definitions(AFFILIATES).schedules or []
    assert schedule.cron_schedule == "5 * * * *"
    assert schedule.execution_timezone == "Europe/Berlin"


def test_a_setting_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION__TABLES_MAX_AGE", "soon")
    with pytest.raises(ConfigurationError, match="AUTOMATION__TABLES_MAX_AGE"):
        build_api_definitions(AFFILIATES)


def test_the_pause_doubles_up_to_a_limit() -> None:
    settings = AutomationSettings()
    minutes = [settings.pause(n).total_seconds() / 60 for n in (0, 1, 2, 3, 9, 1000)]
    assert minutes == [0, 2, 4, 8, 360, 360]


def test_every_asset_has_a_freshness_policy_and_a_link_to_its_code() -> None:
    for spec in LOADED.resolve_all_asset_specs():
        partitioned = LOADED.resolve_asset_graph().get(spec.key).partitions_def is not None
        hours = 26 if partitioned else 2
        policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours))
        assert spec.freshness_policy == policy
        (reference,) = spec.metadata["dagster/code_references"].code_references
        assert reference.file_path.endswith(f"sources/{spec.key.path[0]}.py")
