"""How long reads take, how often they are due, and which plan fits a quota."""

from __future__ import annotations

import random
from itertools import product
from math import inf

import pytest

from sync_assets.planning.best import best_plan
from sync_assets.planning.cron import gaps, is_cron, reads_a_day
from sync_assets.planning.duration import Pace, Reading
from sync_assets.planning.fit import Load, fit
from sync_assets.planning.timing import HOUR, Timing
from sync_assets.sources.rest.http.usage import Usage
from sync_assets.sources.rest.http.windows import Quota, RateWindow, per_minute
from sync_assets_tests.support.clocked import ACCOUNTS, seconds_of_lists
from sync_assets_tests.support.counts import SEED
from sync_assets_tests.support.world import APIS

HOURLY, NIGHTLY = Timing("0 * * * *", 2.0), Timing("0 3 * * *", 26.0)


@pytest.mark.parametrize(
    "account",
    [
        "promotions, small",
        "promotions, medium",
        pytest.param("events, large", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("latency", [0.3, 2.0])
def test_minutes_are_within_a_tenth_of_those_on_a_virtual_clock(
    account: str, latency: float
) -> None:
    quota = Quota(tuple(APIS[account.partition(",")[0]].windows), reserve=0.2)
    lists = ACCOUNTS[account]
    told = Pace(8, latency, quota).seconds(Reading.of(lists))
    assert told == pytest.approx(seconds_of_lists(Usage(), quota, lists, latency, 8), rel=0.1)


def test_several_windows_count_where_they_bind() -> None:
    both = Quota((RateWindow(10, 60), RateWindow(25, 300)))
    for lists in ([1] * 10, [1] * 25, [1] * 60, [1] * 100):
        told = Pace(8, 0.5, both).seconds(Reading.of(lists))
        assert told == pytest.approx(seconds_of_lists(Usage(), both, lists, 0.5, 8), rel=0.1, abs=1)


def test_a_long_list_is_read_page_by_page() -> None:
    assert Pace(8, 0.3, Quota()).seconds(Reading(1_000, 1_000)) == pytest.approx(300)
    assert Pace(8, 0.3, Quota()).seconds(Reading(1_000, 125)) == pytest.approx(37.5)
    assert Pace(8, 0.3, Quota()).seconds(Reading()) == 0


CRONS = {
    ("0 * * * *", 2.0): 24,
    ("0 * * * *", 1.0): 48,
    ("0 * * * *", 0.5): 96,
    ("*/30 * * * *", 1.0): 48,
    ("*/30 * * * *", 1 / 12): 12 * 48,
    ("0 3 * * *", 26.0): 1,
    ("0 3 * * *", 6.0): 8,
    ("*/15 8-17 * * mon-fri", 100.0): 40 * 5 / 7,
    ("0 0 1 * *", 9_000.0): 12 / 365.25,
    ("@daily", 25.0): 1,
}


@pytest.mark.parametrize(("cron", "max_age"), CRONS)
def test_the_reads_of_a_day_are_the_ticks_and_what_the_sensor_adds(
    cron: str, max_age: float
) -> None:
    assert reads_a_day(cron, max_age * HOUR) == pytest.approx(CRONS[cron, max_age], rel=0.02)


def test_the_longest_gap_of_a_schedule_counts() -> None:
    assert max(gaps("0 9 * * mon-fri")) == 72 * HOUR
    assert Timing("0 9 * * mon-fri", inf).gap == 72
    assert Timing("0 9 * * mon-fri", 30).gap == 30


def test_what_is_never_due_is_no_cron_expression() -> None:
    assert [is_cron(text) for text in ("0 0 30 2 *", "* * * * * *", "x", "", "0 25 * * *")] == [
        False
    ] * 5


def test_a_plan_fits_up_to_the_quota_and_says_what_it_asks_for() -> None:
    pace = Pace(8, 0.3, per_minute(100))  # 144,000 a day
    found = fit(Load(Reading(5_000, 5_000)), pace, HOURLY, NIGHTLY)
    assert (found.requests, found.allowed) == (120_000, 144_000)
    assert found.problems == []
    over = fit(Load(Reading(5_000, 5_000), Reading(25_000, 1)), pace, HOURLY, NIGHTLY)
    assert over.problems == [
        "it asks for 145,000 requests a day, 101% of the 144,000 that the quota allows"
    ]


def test_a_plan_within_the_quota_must_keep_the_ages_too() -> None:
    pace = Pace(8, 0.3, per_minute(100))
    (problem,) = fit(Load(Reading(10, 10), Reading(24_000, 1)), pace, HOURLY, NIGHTLY).problems
    assert problem == "live partitions get 28.0 h old, more than their 26 h"
    best = best_plan(Load(Reading(10, 10), Reading(24_000, 1)), pace, HOURLY, NIGHTLY)
    assert best is not None
    assert (best.tables, best.partitions) == (HOURLY, Timing("0 3 * * *", 30.0))


def test_the_best_plan_lets_nobody_wait_longer_than_it_must() -> None:
    pace = Pace(8, 0.3, per_minute(100))
    best = best_plan(Load(Reading(10_000, 10_000), Reading(1_000, 1)), pace, HOURLY, NIGHTLY)
    assert best is not None
    assert best.tables == Timing("0 */2 * * *", 5.0)  # 120,000 of 144,000, 1.7 h each
    assert best.partitions.cron == "0 3 * * *"
    assert best_plan(Load(Reading(5_000_000, 5_000_000)), pace, HOURLY, NIGHTLY) is None


def test_the_best_plan_of_any_load_fits_and_is_the_first_that_does() -> None:
    chance = random.Random(SEED)
    for _ in range(60):
        pace = Pace(8, 0.3, per_minute(chance.choice((60, 200))))
        tables = Reading.of(chance.randint(1, 4_000) for _ in range(chance.randint(0, 5)))
        partitions = Reading.of([chance.randint(1, 40)] * chance.randint(0, 3_000))
        load = Load(tables, partitions, chance.uniform(0, 500))
        best = best_plan(load, pace, HOURLY, NIGHTLY)
        now = fit(load, pace, HOURLY, NIGHTLY)
        if best is None:
            continue
        assert best.problems == []
        assert best.share <= 1
        assert (best.tables, best.partitions) == (HOURLY, NIGHTLY) or now.problems
        stretch = max(24 / best.tables.reads_a_day, 1 / best.partitions.reads_a_day)
        for table, partition in product(("0 * * * *", "0 */2 * * *"), ("0 3 * * *",)):
            less = fit(load, pace, Timing(table, inf), Timing(partition, inf))
            assert less.share > 1 or stretch <= (24 / less.tables.reads_a_day) + 1e-6
