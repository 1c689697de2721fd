"""One quota for many machines: what a Redis keeps for them, and what happens without it."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
import redis

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.rest.account import Account as Configured
from sync_assets.sources.rest.http.budget import Budget, LocalBudget
from sync_assets.sources.rest.http.quota_headers import Left
from sync_assets.sources.rest.http.redis_budget import RedisBudget
from sync_assets.sources.rest.http.usage import Usage
from sync_assets.sources.rest.http.windows import Quota, RateWindow
from sync_assets_tests.support.machines import three_machines
from sync_assets_tests.support.services import unavailable
from sync_assets_tests.support.world import APIS, World

URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
QUOTA = Quota((RateWindow(5, 60), RateWindow(8, 600)), reserve=0.2)


@pytest.fixture
def account() -> Iterator[str]:
    """An account that nobody else uses, gone from the Redis afterwards."""
    with redis.Redis.from_url(URL) as client:
        try:
            client.ping()
        except redis.RedisError:
            unavailable(f"no Redis answers at {URL}")
        before = set(client.scan_iter("sync_assets:*"))
        yield uuid.uuid4().hex
        if made := set(client.scan_iter("sync_assets:*")) - before:
            client.delete(*made)


@pytest.fixture(params=["this machine", "redis"])
def wide(request: pytest.FixtureRequest, world: World, account: str) -> Budget:
    """A budget with room for 20 requests."""
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    quota = Quota((RateWindow(25, 60),), reserve=0.2)
    return (
        RedisBudget(URL, quota, account)
        if request.param == "redis"
        else LocalBudget(quota, account)
    )


def test_a_long_list_leaves_a_tenth_of_the_quota_to_others(wide: Budget) -> None:
    assert [wide.book(leaves_room=True).wait for _ in range(18)] == [0] * 18
    assert 58 < wide.book(leaves_room=True).wait <= 60
    assert [wide.book().wait for _ in range(2)] == [0, 0]
    assert wide.book().wait > 58


def test_a_long_list_leaves_room_in_what_an_answer_says_is_left(wide: Budget) -> None:
    wide.answered(wide.book())
    wide.heed(Left(5 + 3, 40), 1)  # 5 of 25 are in reserve
    assert wide.book(leaves_room=True).wait == 0
    assert 38 < wide.book(leaves_room=True).wait <= 40
    assert [wide.book().wait for _ in range(2)] == [0, 0]
    assert wide.book().wait > 38


@pytest.fixture(params=["this machine", "redis"])
def pair(request: pytest.FixtureRequest, world: World, account: str) -> tuple[Budget, Budget]:
    """Two that share one budget."""
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    if request.param == "redis":
        return RedisBudget(URL, QUOTA, account), RedisBudget(URL, QUOTA, account)
    return LocalBudget(QUOTA, account), LocalBudget(QUOTA, account)


def test_two_share_the_windows(pair: tuple[Budget, Budget]) -> None:
    one, other = pair
    assert one.free() == 4
    turns = [budget.book() for budget in (one, other, one, other)]
    assert [turn.wait for turn in turns] == [0, 0, 0, 0]
    for budget, turn in zip((one, other, one, other), turns, strict=True):
        budget.answered(turn)
    late = other.book()
    assert 58 < late.wait <= 60
    assert not late.rests
    assert one.free() == 0


def test_two_share_what_an_answer_says_is_left(pair: tuple[Budget, Budget]) -> None:
    one, other = pair
    turns = [one.book(), one.book()]
    one.heed(Left(5, 40, 10), 2)  # 1 in flight besides, 2 of 10 in reserve
    assert [other.book().wait, one.book().wait] == [0, 0]
    assert 38 < other.book().wait <= 40
    one.answered(turns[0])
    one.heed(Left(4, 39.5, 10), 1)
    assert other.free() == 0
    one.heed(Left(0, 4000, 10), 1)
    late = other.book()
    assert late.rests
    assert 3500 < late.wait <= 3600


def test_two_share_a_rest(pair: tuple[Budget, Budget]) -> None:
    one, other = pair
    one.pause(900)
    one.pause(3)
    late = other.book()
    assert (late.rests, 898 < late.wait <= 900) == (True, True)


def test_without_a_limit_a_redis_says_so(account: str) -> None:
    budget = RedisBudget(URL, Quota(), account)
    for _ in range(3):
        budget.answered(budget.book())
    assert budget.free() == inf
    budget.heed(Left(1, 30), 1)
    assert budget.free() == 1


def test_a_redis_that_is_away_is_told_and_this_machine_keeps_to_the_quota(world: World) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    budget = RedisBudget("redis://:hidden@127.0.0.1:1/0", QUOTA, "account")
    waits = []
    for _ in range(5):
        turn = budget.book()
        waits.append(turn.wait > 0)
        if not waits[-1]:
            budget.answered(turn)
    assert waits == [False] * 4 + [True]
    (line,) = budget.messages()
    assert "does not answer" in line
    assert "hidden" not in line
    assert budget.messages() == []


def test_an_answer_is_counted_where_its_request_was_booked(world: World, account: str) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    budget = RedisBudget(URL, QUOTA, account)
    turn = budget.book()
    world.monkeypatch.setattr(budget, "_away_until", inf)
    budget.answered(turn)
    assert LocalBudget(QUOTA, account).free() == 4


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1"])
def test_what_is_no_url_of_a_redis_is_refused(world: World, url: str) -> None:
    world.monkeypatch.setenv("QUOTA__REDIS_URL", url or "x")
    with pytest.raises(ConfigurationError, match="QUOTA__REDIS_URL is no URL of a Redis"):
        _ = Configured(APIS["promotions"]).connection


@pytest.mark.long
@pytest.mark.parametrize("share", [True, False])
def test_three_machines_never_meet_a_429(world: World, account: str, share: bool) -> None:
    """Each process has a folder of its own for temporary files, as machines have."""
    found = three_machines(world, URL if share else None, "30/1")
    assert found.green
    assert (found.refused == 0) == share


def test_the_script_keeps_the_constants_of_usage() -> None:
    from sync_assets.sources.rest.http import usage

    script = (Path(usage.__file__).parent / "budget.lua").read_text()
    assert (
        f"LOST, SAME_END, KEEP = {usage.LOST_SECONDS:g}, {usage.SAME_END_SECONDS:g}, 3600" in script
    )
    assert Usage().left == inf
