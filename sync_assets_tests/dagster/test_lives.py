"""Random lives of partitions: none is final before its end and grace, none is stale for longer.

Pure functions on moving clocks: a partition is planned, runs and ends, its dates are edited,
the scheduler stops for days, its clock is wrong for hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.base.times import shifted
from sync_assets.planning.freshness import ALLOWANCE, _verdict
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.life import Life, between
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets_tests.support.counts import Count

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
DAYS = 90
TICK = timedelta(hours=1)
SETTINGS = AutomationSettings(ended_max_age=20 * 24)
LIVES = Count("lives of partitions, 90 days by the hour", sample=25, full=2_000)
FAULTS = {
    "a partition that is synced before it begins": "read again until it is over, then once more",
    "a scheduler that was off for a week": "reads what ended meanwhile",
    "a partition that opens again after it was over": "read again, also once it is over again",
    "a clock that was wrong for an hour": "what it wrote down counts as never",
}


def hours(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


@cache
def life(dates: tuple[str | None, str | None]) -> Life:
    return between({"begin": dates[0], "end": dates[1]}, "begin", "end")


@dataclass
class World:
    """The truth of one partition, and what the warehouse knows of it."""

    grace: timedelta
    dates: list[tuple[int, str | None, str | None]]  # from an hour on: begin, end as the API says
    off: Sequence[tuple[int, int]]
    wrong: Sequence[tuple[int, int, int]]
    history: ListHistory = field(default_factory=lambda: ListHistory("users", "1"))
    known: tuple[str | None, str | None] | None = None
    read: int = -1
    up_since: int = 0

    def said(self, hour: int) -> tuple[str | None, str | None]:
        """The dates as the API says them at an hour."""
        return next(dates[1:] for dates in reversed(self.dates) if dates[0] <= hour)

    def may_change(self, hour: int) -> bool:
        """Whether rows may change at an hour, as its dates promise."""
        return START + hour * TICK <= life(self.said(hour)).over_at(self.grace)

    def clock(self, hour: int) -> tuple[datetime, bool]:
        """What the machine's clock shows, and whether that is right."""
        for first, last, by in self.wrong:
            if first <= hour <= last and by:
                return shifted(START + hour * TICK, timedelta(hours=by)), False
        return START + hour * TICK, True

    def step(self, hour: int) -> ListFreshness | None:
        """A tick of the hour: the parent's table is read, then this list, if it is needed."""
        if any(first <= hour <= last for first, last in self.off):
            self.up_since = hour + 1
            return None
        now, right = self.clock(hour)
        if not right:
            self.up_since = hour + 1
        self.known = self.said(hour)
        over_at = life(self.known).over_at(self.grace)
        if over_at > now:
            self.history = replace(self.history, final=False)
        verdict = _verdict(self.history, life(self.known), True, self.grace, SETTINGS, now)
        if verdict.needed:
            ended_at = life(self.known).ended_at
            self.history = ListHistory("users", "1", now, ended_at=ended_at, final=now > over_at)
            self.read = hour
        return verdict


def stamp(hour: int, form: int) -> str:
    """A moment in one of the forms that APIs send."""
    when = START + hour * TICK
    zone = timezone(timedelta(hours=form % 25 - 12))
    return [
        when.isoformat(),
        when.astimezone(zone).isoformat(),
        str(int(when.timestamp())),
        f"{when:%Y-%m-%d %H:%M:%S}",
    ][form % 4]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    edits = []
    for at in sorted({0, *draw(st.lists(hours(DAYS * 24), max_size=4))}):
        begin, length, form = draw(hours(40 * 24)), draw(hours(40 * 24)), draw(hours(99))
        kind = draw(st.sampled_from(["both", "both", "both", "no end", "no begin", "odd end"]))
        first = None if kind == "no begin" else stamp(begin, form)
        last = {"no end": None, "odd end": "9999-12-31T23:59:59Z"}.get(
            kind, stamp(begin + length, form + 1)
        )
        edits.append((at, first, last))
    off = [
        (a, a + n) for a, n in draw(st.lists(st.tuples(hours(DAYS * 24), hours(400)), max_size=3))
    ]
    wrong = [
        (a, a + n, by)
        for a, n, by in draw(
            st.lists(st.tuples(hours(DAYS * 24), hours(5), st.integers(-9000, 9000)), max_size=3)
        )
    ]
    return World(timedelta(hours=draw(hours(100))), edits, off, wrong)


def live_through(world: World) -> None:
    """Every hour of the life: what is promised holds at each."""
    longest = SETTINGS.max_age(partitioned=True) + TICK
    ended = SETTINGS.ended_age + TICK
    changed = 0
    for hour in range(DAYS * 24):
        if world.may_change(hour):
            changed = hour
        verdict = world.step(hour)
        if verdict is None or world.up_since > hour:
            continue
        unread = changed - world.read
        waited = (hour - max(changed, world.up_since)) * TICK
        at = f"hour {hour}: changed {changed}, read {world.read}, {world}"
        if unread > 0 and not world.may_change(hour):
            assert waited <= timedelta(), f"final before its end and grace, {at}"
        if world.may_change(hour):
            age = (hour - max(world.read, world.up_since)) * TICK
            assert age <= longest, f"stale, {at}"
        assert (hour - max(world.read, world.up_since)) * TICK <= ended, f"never again, {at}"


@LIVES
@settings(max_examples=LIVES.size, deadline=None, database=None)
@given(worlds())
def test_no_partition_is_taken_for_final_too_early_or_forgotten(world: World) -> None:
    live_through(world)


def test_a_rule_without_stages_fails_here() -> None:
    """What is planned was final once it was synced: the walk finds it."""
    planned = World(timedelta(hours=48), [(0, stamp(500, 0), stamp(600, 0))], [], [])
    planned.history = ListHistory("users", "1", START, final=True)

    def as_before(hour: int) -> ListFreshness | None:
        return _verdict(planned.history, Life(end=START), True, timedelta(), SETTINGS, START)

    planned.step = as_before  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match=r"stale|final before"):
        live_through(planned)


def verdict(history: ListHistory, dates: Life, now: datetime, **ages: Any) -> ListFreshness:
    return _verdict(history, dates, True, timedelta(days=2), AutomationSettings(**ages), now)


DAY = timedelta(days=1)
WEEK = Life(START, START + 7 * DAY)


def test_what_is_planned_is_looked_at_until_it_begins() -> None:
    synced = ListHistory("users", "1", START - 10 * DAY)
    assert not verdict(synced, WEEK, START - 9.99 * DAY).needed
    assert verdict(synced, WEEK, START - 5 * DAY).needed
    assert verdict(synced, WEEK, START + DAY).needed


def test_a_week_is_not_too_long_an_age() -> None:
    """`PARTITIONS_MAX_AGE=168`: a promotion that is planned and over within a week is read."""
    synced = ListHistory("users", "1", START - DAY)
    assert not verdict(synced, WEEK, START + 5 * DAY, partitions_max_age=168).needed
    assert verdict(synced, WEEK, START + 9.5 * DAY, partitions_max_age=168).needed


def test_what_was_read_while_it_could_change_is_not_final() -> None:
    for final in (True, False):
        early = ListHistory("users", "1", START + 8 * DAY, final=final)
        assert verdict(early, WEEK, START + 10 * DAY).unsettled
    settled = ListHistory("users", "1", START + 9.1 * DAY, final=True)
    edited = replace(settled, ended_at=START + 6 * DAY)
    assert verdict(edited, WEEK, START + 20 * DAY).unsettled
    assert not verdict(settled, WEEK, START + 20 * DAY).needed
    assert verdict(settled, Life(START, START + 19 * DAY), START + 30 * DAY).unsettled


def test_what_is_over_is_read_again_after_a_while_and_never_if_told_so() -> None:
    settled = ListHistory("users", "1", START + 10 * DAY, final=True)
    assert not verdict(settled, WEEK, START + 32 * DAY).needed
    late = verdict(settled, WEEK, START + 40.01 * DAY)
    assert (late.due, late.stale) == (True, False)
    assert verdict(settled, WEEK, START + 40 * DAY + 1.1 * ALLOWANCE).stale
    assert not verdict(settled, WEEK, START + 900 * DAY, ended_max_age=0).needed


def test_partitions_that_ended_together_are_not_due_on_one_day() -> None:
    due = []
    for n in range(200):
        settled = ListHistory("users", str(n), START + 10 * DAY, final=True)
        due.append(next(d for d in range(60) if verdict(settled, WEEK, START + (10 + d) * DAY).due))
    assert 22 <= min(due) < max(due) <= 31
    assert max(due.count(day) for day in set(due)) < 60
