"""When lists that are read by heads are swept: once in a period, each at a moment of its own."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from sync_assets.planning.settings import AutomationSettings
from sync_assets.planning.turns import is_turn

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
DAY, TICK = timedelta(days=1), timedelta(minutes=30)
NAMES = [f"users of {n}" for n in range(100)]


def sweeps(name: str, read_at: datetime, days: int) -> list[datetime]:
    """When a list is swept that is looked at by each tick."""
    found, now = [read_at], START
    while now < START + days * DAY:
        if is_turn(DAY, now - found[-1], now, name):
            found.append(now)
        now += TICK
    return found[1:]


def test_each_list_is_swept_once_a_day_at_a_moment_of_its_own() -> None:
    found = {name: sweeps(name, START, 10) for name in NAMES}
    for at in found.values():
        assert len(at) in (9, 10, 11)
        assert {after - before for before, after in pairwise(at[1:])} == {DAY}
        assert all(after - before <= DAY for before, after in pairwise([START, *at]))
    hours = [sum(at[5].hour == hour for at in found.values()) for hour in range(24)]
    assert max(hours) < 15
    assert sum(hour > 0 for hour in hours) > 18


def test_what_was_swept_just_before_its_moment_waits_for_half_a_period() -> None:
    moment = sweeps(NAMES[0], START, 3)[-1]
    assert not is_turn(DAY, timedelta(hours=1), moment + TICK, NAMES[0])
    assert is_turn(DAY, timedelta(hours=13), moment + timedelta(hours=12.5), NAMES[0])
    assert is_turn(DAY, DAY, moment - TICK, NAMES[0])


def test_a_proof_leaves_time_for_the_sweep() -> None:
    hourly = AutomationSettings(tables_max_age=1 / 12, proven_max_age=26.0)
    assert hourly.sweep_age(partitioned=False) == DAY
    rare = AutomationSettings(tables_max_age=20.0, proven_max_age=26.0)
    assert rare.sweep_age(partitioned=False) == timedelta(hours=6)
    same = AutomationSettings(tables_max_age=26.0, proven_max_age=26.0)
    assert not same.sweep_age(partitioned=False)
