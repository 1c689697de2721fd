"""What each source calls live, and how automation is configured."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import dagster as dg
import pytest

from sync_assets.base.errors import ConfigurationError
from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.lib.automation.conditions import build_automation_sensor
from sync_assets.planning.settings import AutomationSettings, automation
from sync_assets.sources import apis, events, promotions
from sync_assets.sources.rest.api import ACTIVITY, Parent
from sync_assets.sources.rest.life import Life, Stage
from sync_assets.warehouse.queries import state
from sync_assets_tests.support.dagster_world import LOADED
from sync_assets_tests.support.world import World

NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
AFFILIATES = apis()["affiliates"]


BEFORE, LIVE, OVER = Stage.BEFORE, Stage.LIVE, Stage.OVER
GRACE = timedelta(days=2)


@pytest.mark.parametrize(
    ("start", "end", "stage"),
    [
        (None, None, LIVE),
        ("2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z", LIVE),
        ("2026-06-02T00:00:00Z", "2026-07-01T00:00:00Z", BEFORE),
        ("2026-06-02T00:00:00Z", None, BEFORE),
        ("9999-12-31T00:00:00Z", None, BEFORE),
        ("2026-05-01T00:00:00Z", "2026-05-30T12:00:00Z", LIVE),
        ("2026-05-01T00:00:00Z", "2026-05-30T11:59:59Z", OVER),
        ("2026-05-01T00:00:00+02:00", "2026-05-30T13:59:00+02:00", OVER),
        ("2026-05-01T00:00:00Z", "2026-05-30", LIVE),
        ("2026-05-01T00:00:00Z", "2026-05-29", OVER),
        ("2026-05-31T00:00:00Z", "2026-05-01T00:00:00Z", LIVE),
        ("1777593600", "1780055999", OVER),
        (None, "9999-12-31T23:59:59Z", LIVE),
        (None, "10000-01-01T00:00:00Z", LIVE),
        ("0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", OVER),
    ],
)
def test_the_life_of_a_promotion(start: str | None, end: str | None, stage: Stage) -> None:
    life = promotions.life({"start_date": start, "end_date": end})
    assert life.stage(GRACE, NOW) == stage


@pytest.mark.parametrize("end", ["no date", "0000-00-00", "0", "0001-01-01T00:00:00Z", "-1", "{}"])
def test_an_end_that_cannot_be_read_is_open_and_named(end: str) -> None:
    life = promotions.life({"start_date": "2026-05-01T00:00:00Z", "end_date": end})
    assert life.stage(GRACE, NOW) is LIVE
    assert life.unread == ("end_date",)


@pytest.mark.parametrize("end", [None, "", "  "])
def test_no_end_is_nothing_to_tell(end: str | None) -> None:
    assert promotions.life({"start_date": "", "end_date": end}).unread == ()


@pytest.mark.parametrize(
    ("upcoming", "sign_hours_ago", "created_hours_ago", "stage"),
    [
        (1, None, None, LIVE),
        (0, None, None, OVER),
        (None, None, None, LIVE),
        (0, 47, None, LIVE),
        (0, 49, None, OVER),
        (0, None, 47, LIVE),
        (0, 49, 47, LIVE),
        (-1, 49, 4900, OVER),
    ],
)
def test_the_life_of_a_series(
    upcoming: int | None, sign_hours_ago: int | None, created_hours_ago: int | None, stage: Stage
) -> None:
    sign = None if sign_hours_ago is None else NOW - timedelta(hours=sign_hours_ago)
    created = created_hours_ago and (NOW - timedelta(hours=created_hours_ago)).timestamp()
    row = {"upcoming_occurrences": upcoming, ACTIVITY: sign, "created_at": created}
    assert events.life(row).stage(GRACE, NOW) == stage


def test_the_latest_ticket_or_event_of_a_series_keeps_it_live(world: World) -> None:
    now = datetime.now(timezone.utc).timestamp()
    world.api.lists["/event_series"] = [
        {"id": one, "upcoming_occurrences": 0} for one in ("es_1", "es_2", "es_3", "es_4")
    ]
    world.api.lists["/issued_tickets"] = [
        {"id": "t1", "event_series_id": "es_1", "created_at": int(now) - 60},
        {"id": "t2", "event_series_id": "es_1", "created_at": 0},
        {"id": "t3", "event_series_id": "es_2", "created_at": 0},
    ]
    for one in ("es_1", "es_2", "es_3", "es_4"):
        world.api.lists[f"/event_series/{one}/events"] = []
    world.api.lists["/event_series/es_4/events"] = [
        {"id": "ev_1", "end": {"unix": int(now) - 3600}},
        {"id": "ev_2", "end": {"iso": "2020-01-01T00:00:00Z"}},
        {"id": "ev_3", "end": None},
    ]
    world.sync("events", "events_series", "issued_tickets", "events")
    api = apis()["events"]
    rows = state(api).parents["events_series"]
    stages = {r["id"]: events.life(r).stage(GRACE, datetime.now(timezone.utc)) for r in rows}
    assert stages == {"es_1": LIVE, "es_2": OVER, "es_3": OVER, "es_4": LIVE}


@pytest.mark.parametrize(
    "life",
    [
        lambda row: 1 / 0,
        lambda row: row["endDate"],
        lambda row, now: True,
        lambda row: None,
        lambda row: Life(unread=5),  # type: ignore[arg-type]
    ],
)
def test_a_rule_that_fails_costs_its_parent_alone(life: Any) -> None:
    found = Parent("forms", "forms", ["id"], life).life_of({"id": "1"})
    assert found.stage(GRACE, NOW) is LIVE
    assert "Error: " in found.unread[0]


def test_a_rule_may_give_dates_as_they_came() -> None:
    life = Parent("forms", "forms", ["id"], lambda row: Life(end="2020-01-01")).life_of({})  # type: ignore[arg-type]
    assert life.stage(GRACE, NOW) is OVER


@pytest.mark.parametrize("hours", ["0", "47.5"])
def test_grace_is_a_setting(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    monkeypatch.setenv("SOURCES__PROMOTIONS__GRACE", hours)
    assert promotions.API.grace == timedelta(hours=float(hours))
    assert events.API.grace == GRACE


@pytest.mark.parametrize("hours", ["-1", "nan", "inf", "soon", "87601"])
def test_a_grace_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    monkeypatch.setenv("SOURCES__PROMOTIONS__GRACE", hours)
    with pytest.raises(ConfigurationError, match="SOURCES__PROMOTIONS__GRACE must be"):
        _ = promotions.API.grace


def test_automation_is_switched_off_by_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION__ENABLED", "false")
    made = build_api_definitions(AFFILIATES)
    statuses = {
        one.default_status.value
        for one in [*(made.sensors or []), *(made.schedules or []), build_automation_sensor()]
    }
    assert statuses == {"STOPPED"}


def test_a_setting_of_one_source_goes_before_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION__TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("AUTOMATION__TABLES_SCHEDULE", "5 * * * *")
    monkeypatch.setenv("AUTOMATION__EVENTS__TABLES_SCHEDULE", "*/10 * * * *")
    assert automation(apis()["events"]).tables_schedule == "*/10 * * * *"
    (schedule,) = build_api_definitions(AFFILIATES).schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
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


def test_every_synced_asset_has_a_freshness_policy_and_a_link_to_its_code() -> None:
    for spec in (one for one in LOADED.resolve_all_asset_specs() if one.key.path[0] in apis()):
        policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=1))
        assert spec.freshness_policy == policy
        (reference,) = spec.metadata["dagster/code_references"].code_references
        assert reference.file_path.endswith(f"sources/{spec.key.path[0]}.py")
