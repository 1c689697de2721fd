"""So many requests at once, so many in a minute, and none while an API asks for rest."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.events import events
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.http import rate_limiter, windows
from sync_assets.sources.rest.http.windows import RateWindow, per_minute
from sync_assets_tests.support.world import APIS, World

PARENTS = [str(n) for n in range(13)]


def lists(world: World) -> None:
    """A list of users below each promotion."""
    world.api.lists.update({f"/users/{n}": [{"id": "u"}] for n in PARENTS})


@pytest.mark.long
@pytest.mark.parametrize(("most", "latency"), [(1, 0.02), (6, 0.3)])
def test_as_many_requests_as_allowed_are_in_flight(world: World, most: int, latency: float) -> None:
    lists(world)
    world.api.latency = latency
    world.configure("promotions", max_concurrency=most)
    world.sync("promotions", "users", parents={"promotions": PARENTS})
    assert (len(world.ids("promotions.users")), world.api.most_in_flight) == (13, most)


def test_all_lists_of_a_sync_share_the_limit(world: World) -> None:
    world.api.lists["/vouchers"] = [{"id": str(n)} for n in range(12)]
    world.api.lists.update({f"/vouchers/{n}/codes": [{"id": "c"}] for n in range(12)})
    world.api.lists.update({f"/event_series/{n}/events": [{"id": "e"}] for n in range(12)})
    world.api.latency = 0.02
    world.configure("events", max_concurrency=3)
    parents = {"events_series": [str(n) for n in range(12)]}
    source = events(parents=parents).with_resources("vouchers", "vouchers_codes", "events")
    assert sum(table.num_rows for table in source) == 36
    assert world.api.most_in_flight == 3


@pytest.mark.parametrize("per_minute", [5])
def test_no_window_holds_more_requests_than_allowed(
    world: World, monkeypatch: pytest.MonkeyPatch, per_minute: int
) -> None:
    monkeypatch.setattr(windows, "MINUTE", 0.8)
    lists(world)
    world.configure("promotions", requests_per_minute=per_minute)
    world.read("promotions", "users", parents={"promotions": PARENTS})
    at = sorted(seen.at for seen in world.api.seen)
    assert len(at) == 13
    spans = [at[i + per_minute] - at[i] for i in range(len(at) - per_minute)]
    assert min(spans) >= 0.8


@pytest.mark.long
def test_no_window_of_the_api_holds_more_whatever_the_network_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "MINUTE", 0.3)
    polite, arrived = rate_limiter.RateLimiter(8, per_minute(20)), []

    def ask(n: int) -> None:
        with polite.request():
            time.sleep(random.random() * 0.05)  # on the way there
            arrived.append(time.monotonic())
            time.sleep(random.random() * 0.02)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(100)))
    arrived.sort()
    assert min(arrived[i + 20] - arrived[i] for i in range(80)) >= 0.3


def test_retries_count_as_requests(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MINUTE", 0.8)
    world.configure("promotions", requests_per_minute=2, max_retries=3)
    world.api.lists["/promotions"] = [{"id": "1"}]
    world.api.fail("/promotions", times=3, status=500)
    world.read("promotions", "promotions")
    at = [seen.at for seen in world.api.seen]
    assert at[2] - at[0] >= 0.8
    assert at[3] - at[1] >= 0.8


def test_the_quota_of_an_api_is_its_services_own(world: World) -> None:
    for name in APIS:
        world.monkeypatch.delenv(f"SOURCES__{name.upper()}__REQUESTS_PER_MINUTE")
    ours = {
        name: Account(api).connection.adapter.rate_limiter.quota.ours for name, api in APIS.items()
    }
    assert ours == {
        "promotions": (RateWindow(160, 60),),
        "affiliates": (RateWindow(96, 60),),
        "events": (RateWindow(4000, 1800),),
    }


def test_zero_means_no_rate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MINUTE", 60.0)
    lists(world)
    world.configure("promotions", requests_per_minute=0)
    started = time.monotonic()
    world.read("promotions", "users", parents={"promotions": PARENTS})
    assert time.monotonic() - started < 30


@pytest.mark.long
def test_a_request_for_rest_is_shared_by_all_lists(world: World) -> None:
    lists(world)
    world.api.latency = 0.1
    world.configure("promotions", max_concurrency=2)
    world.api.fail("/users/0", times=1, status=429, headers={"Retry-After": "1.5"})
    world.read("promotions", "users", parents={"promotions": PARENTS})
    at = [seen.at for seen in world.api.seen]
    refused = world.api.asked("/users/0")[0].at + 0.1
    resting = [moment for moment in at if refused + 0.7 < moment < refused + 1.4]
    assert (len(at), resting) == (14, [])


def test_one_429_without_a_time_slows_all_lists(world: World) -> None:
    parents = [str(n) for n in range(40)]
    world.api.lists.update({f"/users/{n}": [{"id": "u"}] for n in parents})
    world.api.latency = 0.03
    world.configure("promotions", max_concurrency=2)
    world.api.fail("/users/0", times=1, status=429)
    world.read("promotions", "users", parents={"promotions": parents})
    seen = sorted(world.api.seen, key=lambda one: one.at)
    pauses = [after.at - before.at for before, after in pairwise(seen)]
    rest = pauses.index(max(pauses)) + 1
    before, after = ({one.path for one in half} for half in (seen[:rest], seen[rest:]))
    assert (len(seen), max(pauses) > 0.5) == (41, True)
    assert "/users/0" in before
    assert len(after - before) > 3  # the other lists rested too


@pytest.mark.usefixtures("world")
def test_a_rest_is_shared_where_there_is_no_rate() -> None:
    one, other = (rate_limiter.RateLimiter(1, per_minute(0), "an account") for _ in range(2))
    with one.request() as waited:
        assert waited == 0
    other.pause(0.5)
    with one.request() as waited:
        assert 0 < waited < 30


def test_a_rest_that_is_over_holds_nobody_back() -> None:
    polite = rate_limiter.RateLimiter(1, per_minute(0))
    polite.pause(0.3)
    with polite.request() as waited:
        assert 0 < waited < 30
    with polite.request() as waited:
        assert waited == 0


def test_a_shorter_rest_does_not_end_a_longer_one() -> None:
    polite = rate_limiter.RateLimiter(2, per_minute(0))
    polite.pause(0.6)
    polite.pause(0.01)
    with polite.request() as waited:
        assert waited > 0.1


def test_a_slot_is_free_again_after_a_failure() -> None:
    polite = rate_limiter.RateLimiter(1, per_minute(0))

    def fail() -> None:
        with polite.request():
            raise OSError

    for _ in range(3):
        with pytest.raises(OSError, match=r"^$"):
            fail()
    with polite.request():
        pass


def test_waiting_is_counted_and_said(world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    world.api.fail("/v1/coupons", times=1, status=429, headers={"Retry-After": "0.2"})
    said: list[str] = []
    listing = world.sync("affiliates", "coupons", say=said.append)["coupons"]
    assert (listing.requests, listing.retries, listing.pages) == (2, 1, 1)
    assert 0.2 <= listing.waited < 30
    assert any("coupons" in m and "429" in m and "asking again in 0." in m for m in said)


def test_courtesy_is_safe_with_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MINUTE", 0.2)
    polite, lock, inside, most = (
        rate_limiter.RateLimiter(3, per_minute(50)),
        threading.Lock(),
        [0],
        [0],
    )

    def ask(_: int) -> None:
        with polite.request():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(100)))
    assert most == [3]


ACCOUNT = "http://127.0.0.1 secret"
ASK = """
import sys, time
from sync_assets.sources.rest.http import rate_limiter, windows
from sync_assets.sources.rest.http.windows import per_minute
from sync_assets.base.errors import ConfigurationError
windows.MINUTE = 1.0
polite = rate_limiter.RateLimiter(4, per_minute(5), sys.argv[1])
for _ in range(10):
    with polite.request():
        print(time.monotonic(), flush=True)
"""


@pytest.mark.long
def test_processes_of_one_account_share_its_rate(world: World) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", None)
    world.monkeypatch.setenv("TMPDIR", str(world.folder))
    asking = [
        subprocess.Popen([sys.executable, "-c", ASK, account], stdout=subprocess.PIPE, text=True)
        for account in (ACCOUNT, ACCOUNT, "http://127.0.0.1 other")
    ]
    at = [[float(line) for line in process.communicate()[0].split()] for process in asking]
    ours = sorted(at[0] + at[1])
    assert len(ours) == 20
    assert min(ours[i + 5] - ours[i] for i in range(15)) > 0.95
    assert max(at[2]) - min(at[2]) < 3
    (folder,) = world.folder.glob("sync_assets-rate-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not [file for file in folder.iterdir() if "secret" in file.name + file.read_text()]


def test_a_rest_holds_for_all_processes_of_an_account(world: World) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    asked, other = (
        rate_limiter.RateLimiter(1, per_minute(100), ACCOUNT),
        rate_limiter.RateLimiter(1, per_minute(100), ACCOUNT),
    )
    asked.pause(0.5)
    with other.request() as waited:
        assert 0 < waited < 30


def test_the_folder_of_another_user_is_refused(world: World) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    (world.folder / "elsewhere").mkdir()
    (world.folder / f"sync_assets-rate-{os.getuid()}").symlink_to(world.folder / "elsewhere")
    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        rate_limiter.RateLimiter(1, per_minute(100), ACCOUNT)


def test_what_was_before_the_machine_started_anew_is_forgotten(world: World) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    rate_limiter.RateLimiter(1, per_minute(1), ACCOUNT).pause(3600)
    (file,) = world.folder.glob("sync_assets-rate-*/*.json")
    later = dict.fromkeys(("at", "paused_until"), 1000000000.0)
    file.write_text(json.dumps({**later, "sent": [1e9]}))
    with rate_limiter.RateLimiter(1, per_minute(1), ACCOUNT).request() as waited:
        assert waited == 0
