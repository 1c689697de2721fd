"""When the schedule and the freshness sensor ask for a list."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from sync_assets.planning.cron import next_tick, reads_a_day
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.planning.timing import HOUR
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.queries import State
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets_tests.support.world import APIS

TICK = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
YESTERDAY = TICK - timedelta(days=1)


def found(minutes: float, now: datetime, settings: AutomationSettings) -> ListFreshness:
    """What is to be said of a table that was read so many minutes ago."""
    read_at = now - timedelta(minutes=minutes)
    history = ListHistory("coupons", None, read_at, read_at, rows=1)
    state = State({}, {ListKey("coupons"): history})
    verdicts = evaluate_freshness(APIS["affiliates"], state, settings, now)
    return next(one for one in verdicts if one.resource == "coupons")


@pytest.mark.parametrize(("minutes", "asked"), [(5, False), (14, False), (16, True), (29.8, True)])
def test_a_tick_leaves_out_what_was_just_read(minutes: float, asked: bool) -> None:
    assert found(minutes, TICK, AutomationSettings()).scheduled == asked


def test_a_tick_that_comes_seldom_leaves_out_what_is_younger_than_half_the_age() -> None:
    weekly = AutomationSettings(tables_schedule="0 12 * * mon", tables_max_age=4.0)
    assert [found(m, TICK, weekly).scheduled for m in (110, 130)] == [False, True]


def test_a_list_that_waits_after_a_failure_is_left_out() -> None:
    failed_at = TICK - timedelta(minutes=1)
    history = ListHistory("coupons", None, YESTERDAY, YESTERDAY, failures=1, failed_at=failed_at)
    state = State({}, {ListKey("coupons"): history})
    for minutes, asked in ((0, False), (1.5, True)):
        now = TICK + timedelta(minutes=minutes)
        verdicts = evaluate_freshness(APIS["affiliates"], state, AutomationSettings(), now)
        assert [v.scheduled for v in verdicts if v.resource == "coupons"] == [asked]


def test_what_was_never_read_is_asked_for() -> None:
    verdicts = evaluate_freshness(APIS["affiliates"], State({}, {}), AutomationSettings(), TICK)
    assert {verdict.scheduled for verdict in verdicts} == {True}


@pytest.mark.parametrize(
    ("cron", "zone", "minutes", "asked"),
    [
        ("*/30 * * * *", "UTC", 35, False),  # the tick at 12:30 comes within the hour
        ("0 13 * * *", "UTC", 35, True),  # the tick at 13:00 would come too late
        ("0 13 * * *", "UTC", 29, False),  # half of the age is not over
        ("20 13 * * *", "Europe/Berlin", 35, False),  # 12:20 in UTC
        ("30 12 * * *", "UTC", 36, True),  # the tick leaves four minutes for the run
    ],
)
def test_the_sensor_asks_at_half_the_age_where_the_schedule_is_late(
    cron: str, zone: str, minutes: float, asked: bool
) -> None:
    settings = AutomationSettings(tables_schedule=cron, timezone=zone)
    now = TICK + timedelta(minutes=10)
    assert found(minutes, now, settings).needed == asked


@pytest.mark.parametrize("age", [0.5, 1.0, 26.0])
@pytest.mark.parametrize("cron", ["*/30 * * * *", "0 * * * *", "0 3 * * *"])
def test_no_list_gets_older_than_promised_and_the_plan_counts_its_reads(
    cron: str, age: float
) -> None:
    """A day in steps of two minutes, in which each read takes no time."""
    settings = AutomationSettings(tables_schedule=cron, tables_max_age=age)
    read_at, reads, oldest = TICK, 0, 0.0
    for minute in range(2, 24 * 60 + 1, 2):
        now = TICK + timedelta(minutes=minute)
        oldest = max(oldest, (now - read_at) / timedelta(hours=1))
        one = found((now - read_at) / timedelta(minutes=1), now, settings)
        at_tick = next_tick(cron, "UTC", now - timedelta(seconds=1)) == now
        if one.needed or (at_tick and one.scheduled):
            read_at, reads = now, reads + 1
    assert oldest <= age + 2 / 60
    assert reads == pytest.approx(reads_a_day(cron, age * HOUR), rel=0.2)
