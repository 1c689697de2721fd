"""The quota of an account: windows as its service counts them, a reserve, and what headers say."""

from __future__ import annotations

import tempfile
from math import inf

import pytest
from requests.structures import CaseInsensitiveDict

from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.http.quota_headers import Left, said_left
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.http.usage import Usage
from sync_assets.sources.rest.http.windows import Quota, RateWindow, parse_windows, per_minute
from sync_assets_tests.support.clocked import clocked, most_in
from sync_assets_tests.support.world import APIS, World

TWO = Quota((RateWindow(10, 60), RateWindow(25, 300)))


def test_no_window_is_passed_and_each_is_used_up() -> None:
    at = clocked(Usage(), TWO, 900, latency=0.5, flights=4)
    assert most_in(at, 60) == 10
    assert most_in(at, 300) == 25
    assert len(at) >= 3 * 25 - 5
    assert at[9] < 5  # all at once, as far as the window goes


def test_a_reserve_is_left_of_each_window() -> None:
    quota = Quota(TWO.windows, reserve=0.2)
    assert quota.ours == (RateWindow(8, 60), RateWindow(20, 300))
    assert most_in(clocked(Usage(), quota, 300, latency=0.5, flights=4), 300) == 20
    assert Quota((RateWindow(1, 60),), 0.9).ours == (RateWindow(1, 60),)


def test_nightly_requests_of_the_events_api_take_less_than_two_minutes() -> None:
    quota = Quota(tuple(APIS["events"].windows), reserve=0.2)
    at = clocked(Usage(), quota, 150, latency=0.3, flights=8)
    assert at[1999] < 120
    before = clocked(Usage(), per_minute(166), 800, latency=0.3, flights=8)
    assert before[1999] > 11 * 60


HEADERS: dict[str, tuple[dict[str, str], Left | None]] = {
    "X-Rate-Limit-*": (
        {"X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": "30", "X-Rate-Limit-Limit": "50"},
        Left(7, 31, 50),
    ),
    "X-RateLimit-* in unix seconds": (
        {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1700000030",
         "Date": "Tue, 14 Nov 2023 22:13:20 GMT"},
        Left(7, 31),
    ),
    "RateLimit-*": ({"RateLimit-Remaining": "0", "RateLimit-Reset": "9"}, Left(0, 10)),
    "no reset": ({"X-RateLimit-Remaining": "7"}, Left(7)),
    "several numbers": ({"RateLimit-Remaining": "7, 3", "RateLimit-Reset": "9"}, Left(3, 10)),
    "policies": ({"RateLimit": '"burst";r=9;t=5, "daily";r=2;t=60'}, Left(2, 61)),
    "one policy": ({"RateLimit": "limit=100, remaining=50, reset=5"}, Left(50, 6, 100)),
    "a reset in the past": ({"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "-3"}, None),
    "no number": ({"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "30"}, None),
    "negative": ({"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "30"}, None),
    "infinite": ({"X-RateLimit-Remaining": "inf", "X-RateLimit-Reset": "30"}, None),
    "nothing": ({}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_what_is_left_is_read_from_the_headers(name: str) -> None:
    headers, left = HEADERS[name]
    assert said_left(CaseInsensitiveDict(headers)) == left


def test_nothing_is_sent_past_what_the_api_says_is_left() -> None:
    usage, quota = Usage(), Quota((RateWindow(100, 60),), reserve=0.2)
    turn = usage.book(quota, 0.0)
    usage.heed(Left(12, 30, 10), 1, quota, 0.1)  # 2 of 10 are kept free
    usage.answered(turn, quota, 0.1)
    booked = [usage.book(quota, 1.0 + n).wait for n in range(12)]
    assert booked[:10] == [0.0] * 10
    assert booked[10] == pytest.approx(30.1 - 11)
    assert usage.book(quota, 30.2).wait == 0
    assert usage.left == inf


def test_what_is_in_flight_counts_as_not_counted_yet() -> None:
    usage, quota = Usage(), Quota((RateWindow(100, 60),))
    turns = [usage.book(quota, n / 10) for n in range(5)]
    usage.heed(Left(6, 30), 5, quota, 1.0)
    assert usage.left == 2
    usage.answered(turns[0], quota, 1.0)
    usage.heed(Left(5, 29.5), 4, quota, 1.5)  # the same end, told in another second
    assert usage.left == 2
    usage.heed(Left(50, 90), 4, quota, 2.0)
    assert usage.left == 47


def test_an_end_beyond_our_windows_is_a_rest() -> None:
    usage, quota = Usage(), Quota((RateWindow(100, 60),))
    usage.heed(Left(0, 40), 1, quota, 0.0)
    assert not usage.book(quota, 1.0).rests
    usage.heed(Left(0, 400), 1, quota, 2.0)
    assert usage.book(quota, 3.0).rests


def test_headers_hold_a_sync_back(world: World) -> None:
    world.configure("promotions", max_concurrency=1)
    parents = ["0", "1"]
    for n in parents:
        world.api.lists[f"/users/{n}"] = [{"id": "u"}]
        left = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "0.2"}
        world.api.fail(f"/users/{n}", headers=dict(left))
    world.sync("promotions", "users", parents={"promotions": parents})
    at = [seen.at for seen in world.api.seen]
    assert at[1] - at[0] >= 0.9


def test_a_rest_reaches_other_processes_also_without_a_rate(world: World) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    asked, other = (RateLimiter(1, per_minute(0), "account") for _ in range(2))
    asked.pause(0.5)
    with other.request() as waited:
        assert 0 < waited < 30


def test_a_long_wait_for_the_quota_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    polite = RateLimiter(1, Quota((RateWindow(1, 30),)))
    said: list[str] = []
    with polite.request():
        pass
    monkeypatch.setattr(polite.stop, "wait", lambda seconds: None)
    waits = iter([None] * 3)

    def may() -> None:
        if next(waits, "over") == "over":
            raise OSError

    with pytest.raises(OSError, match=r"^$"), polite.request(may, said.append):
        pass
    (line,) = said
    assert line.startswith("the quota is used up (1 requests in 30 s): going on in ")


@pytest.mark.parametrize("text", ["", "5000", "0/60", "5/0", "5/60,7/30", "a/b", "-1/60"])
def test_a_text_that_names_no_windows_is_refused(world: World, text: str) -> None:
    world.configure("events", quota=text)
    with pytest.raises(Exception, match="SOURCES__EVENTS__QUOTA must be requests/seconds"):
        APIS["events"].quota()


def test_a_quota_is_configured_and_requests_per_minute_go_before_it(world: World) -> None:
    api = APIS["events"]
    world.monkeypatch.delenv("SOURCES__EVENTS__REQUESTS_PER_MINUTE")
    assert api.quota() == Quota((RateWindow(5_000, 1_800),), 0.2)
    world.configure("events", quota=" 10000/1800  200/60 ", quota_reserve=0.5)
    assert api.quota() == Quota((RateWindow(10_000, 1_800), RateWindow(200, 60)), 0.5)
    assert Account(api).connection.adapter.rate_limiter.quota == api.quota()
    world.configure("events", requests_per_minute=7)
    assert api.quota() == Quota((RateWindow(7, 60),))
    world.configure("events", requests_per_minute=0)
    assert api.quota() == Quota()
    assert parse_windows("") == ()
