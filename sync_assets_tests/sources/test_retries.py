"""A request is sent again after the pause that was asked for, and not for ever."""

from __future__ import annotations

import re
import time
from email.utils import formatdate

import pytest

from sync_assets.sources.rest.http import retries
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.world import World

JITTER = retries.JITTER
AGAIN = re.compile(r"asking again in ([\d.]+) s")


def fresh(api: FakeApi, path: str) -> None:
    """Five records at a path."""
    api.lists[path] = [{"id": str(n)} for n in range(5)]


def http_date(seconds: float) -> str:
    """The moment in so many seconds, as HTTP writes it."""
    return formatdate(time.time() + seconds, usegmt=True)


#: What Retry-After says, the backoff factor, and how long the pause must be at least and at most:
#: on a busy machine it takes longer than asked for.
PAUSES: dict[str, tuple[str | None, float, float, float]] = {
    "seconds": ("1", 0, 1.0, 5.0),
    "a fraction": ("0.3", 0, 0.3, 5.0),
    "zero": ("0", 9, 0.0, 5.0),
    "negative": ("-5", 9, 0.0, 5.0),
    "a date": ("date", 9, 0.2, 5.0),
    "a past date": ("Mon, 05 Jan 2026 10:00:00 GMT", 9, 0.0, 5.0),
    "a date without zone": ("Mon, 05 Jan 2026 10:00:00 -0000", 9, 0.0, 5.0),
    "nothing": (None, 0, 1.0, 5.0),
    "empty": ("", 0, 1.0, 5.0),
    "nonsense": ("soon", 0, 1.0, 5.0),
    "not a number": ("nan", 0, 1.0, 5.0),
}


#: What each of these headers asks for is also read without a request, in test_patience.
ALSO_READ = ("empty", "nonsense", "not a number")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long) if name in ALSO_READ else name for name in PAUSES],
)
def test_retry_after_is_honoured(world: World, name: str) -> None:
    said, factor, least, most = PAUSES[name]
    fresh(world.api, "/users/1")
    header = http_date(1.3) if said == "date" else said
    headers = {} if header is None else {"Retry-After": header}
    code = 503 if name == "a fraction" else 429
    world.api.fail("/users/1", times=1, status=code, headers=headers)
    world.configure("promotions", backoff_factor=factor)
    assert len(world.read("promotions", "users", parents={"promotions": ["1"]})) == 5
    first, second, _ = world.api.asked("/users/1")
    assert least - 0.01 <= second.at - first.at <= most


@pytest.mark.parametrize("said", ["7200", "1e9", "inf", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_wait_longer_than_a_run_may_take_fails_at_once_and_says_so(
    world: World, said: str
) -> None:
    fresh(world.api, "/users/1")
    world.api.fail("/users/1", status=429, headers={"Retry-After": said})
    started = time.monotonic()
    with pytest.raises(Exception, match=r"429 .*asked again in (7200|\d+|inf) s: longer than max_"):
        world.read("promotions", "users", parents={"promotions": ["1"]})
    assert time.monotonic() - started < 20
    assert len(world.api.seen) == 1


def test_the_backoff_doubles(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "JITTER", JITTER)
    fresh(world.api, "/promotions")
    world.configure("promotions", max_retries=3, backoff_factor=0.1)
    world.api.fail("/promotions", times=3, page=1, status=500)
    said: list[str] = []
    assert world.sync("promotions", "promotions", say=said.append)["promotions"].rows == 5
    told = [float(again.group(1)) for again in map(AGAIN.search, said) if again]
    assert told == pytest.approx([0.15, 0.25, 0.45], abs=0.06)  # and a little more, at random
    at = [seen.at for seen in world.api.asked("/promotions")][:4]
    assert all(at[i + 1] - at[i] >= least for i, least in enumerate([0.1, 0.2, 0.4]))


@pytest.mark.parametrize("most", [0, 1, 4])
def test_max_retries_bounds_the_requests(world: World, most: int) -> None:
    world.configure("promotions", max_retries=most)
    world.api.fail("/promotions", status=500)
    with pytest.raises(Exception, match=r"promotions, page 1 .* 500"):
        world.read("promotions", "promotions")
    assert len(world.api.seen) == most + 1


@pytest.mark.long
def test_a_burst_of_429_is_waited_out(world: World) -> None:
    parents = [str(n) for n in range(10)]
    for n in parents:
        fresh(world.api, f"/users/{n}")
        world.api.fail(f"/users/{n}", times=1, status=429, headers={"Retry-After": "0.3"})
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert sum(listing.rows for listing in found.values()) == 50
    assert {listing.error for listing in found.values()} == {None}
