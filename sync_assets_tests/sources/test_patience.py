"""A 429 is waited out as the API asks, by its own clock, and never longer than `MAX_WAIT`."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from sync_assets.base import times
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import automation
from sync_assets.sources.rest.http.retry_after import asked_wait
from sync_assets.warehouse.queries import state
from sync_assets_tests.support.processes import Task, workers
from sync_assets_tests.support.world import APIS, World

#: The server's clock, years from ours.
THERE = datetime(2031, 5, 6, 10, 0, 0, tzinfo=timezone.utc)
DATE = format_datetime(THERE, usegmt=True)
UNIX = int(THERE.timestamp())


def http(seconds: float, form: str = "%a, %d %b %Y %H:%M:%S GMT") -> str:
    """The moment so many seconds later by the server's clock."""
    return (THERE + timedelta(seconds=seconds)).strftime(form)


#: Headers of an answer, beside its date, and the seconds that they ask for.
HEADERS: dict[str, tuple[dict[str, str], float | None]] = {
    "Retry-After in seconds": ({"Retry-After": "30"}, 30),
    "Retry-After with a fraction": ({"Retry-After": "0.25"}, 0.25),
    "Retry-After with a unit": ({"Retry-After": "30s"}, 30),
    "Retry-After twice": ({"Retry-After": "5, 30"}, 30),
    "Retry-After negative": ({"Retry-After": "-5"}, 0),
    "Retry-After as a date": ({"Retry-After": http(90)}, 90),
    "Retry-After as a date of RFC 850": (
        {"Retry-After": http(90, "%A, %d-%b-%y %H:%M:%S GMT")}, 90,
    ),
    "Retry-After as a date of asctime": ({"Retry-After": http(90, "%a %b %d %H:%M:%S %Y")}, 90),
    "Retry-After as a date without zone": ({"Retry-After": http(90, "%d %b %Y %H:%M:%S")}, 90),
    "Retry-After as a date elsewhere": (
        {"Retry-After": http(90 + 7200, "%a, %d %b %Y %H:%M:%S +0200")}, 90,
    ),
    "Retry-After as ISO 8601": ({"Retry-After": http(90, "%Y-%m-%dT%H:%M:%SZ")}, 90),
    "Retry-After as unix seconds": ({"Retry-After": str(UNIX + 40)}, 40),
    "Retry-After in the past": ({"Retry-After": http(-90)}, 0),
    "Retry-After before the reset": ({"Retry-After": "7", "X-RateLimit-Reset": "50"}, 7),
    "nonsense, then the reset": ({"Retry-After": "soon", "X-RateLimit-Reset": "50"}, 50),
    "X-RateLimit-Reset in seconds": ({"X-RateLimit-Reset": "50"}, 50),
    "X-Rate-Limit-Reset in seconds": ({"X-Rate-Limit-Reset": "50"}, 50),
    "RateLimit-Reset in seconds": ({"RateLimit-Reset": "50"}, 50),
    "a reset in unix seconds": ({"X-RateLimit-Reset": str(UNIX + 50)}, 50),
    "a reset in unix seconds with a fraction": ({"X-Rate-Limit-Reset": f"{UNIX + 50}.5"}, 50.5),
    "a reset in unix milliseconds": ({"X-RateLimit-Reset": f"{UNIX + 50}000"}, 50),
    "a reset as a date": ({"X-RateLimit-Reset": http(50)}, 50),
    "a reset as ISO 8601": ({"X-RateLimit-Reset": http(50, "%Y-%m-%dT%H:%M:%S+00:00")}, 50),
    "a reset in the past": ({"X-RateLimit-Reset": str(UNIX - 50)}, None),
    "a reset while some are left": (
        {"X-RateLimit-Reset": "3000", "X-RateLimit-Remaining": "12"}, None,
    ),
    "a reset while none is left": ({"X-RateLimit-Reset": "50", "X-RateLimit-Remaining": "0"}, 50),
    "RateLimit with t": ({"RateLimit": '"default";r=0;t=50'}, 50),
    "RateLimit with reset": ({"RateLimit": "limit=100, remaining=0, reset=50"}, 50),
    "nothing": ({}, None),
    "empty": ({"Retry-After": "", "X-RateLimit-Reset": " "}, None),
    "not a number": ({"Retry-After": "nan", "X-RateLimit-Reset": "NaN"}, None),
    "infinite": ({"Retry-After": "inf"}, float("inf")),
    "huge": ({"Retry-After": "1" * 400}, float("inf")),
    "not ASCII": ({"Retry-After": "\u0663\u0660", "RateLimit-Reset": "f\xfcnf"}, None),
    "grouped digits": ({"Retry-After": "1_000"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_wait_is_read_from_the_headers(name: str) -> None:
    headers, expected = HEADERS[name]
    asked = asked_wait(CaseInsensitiveDict({"Date": DATE, **headers}), 429)
    assert asked == (None if expected is None else pytest.approx(expected))


def test_without_a_date_of_the_server_our_clock_counts() -> None:
    later = format_datetime(times.now() + timedelta(seconds=100), usegmt=True)
    for date in ({}, {"Date": "yesterday"}, {"Date": ""}):
        asked = asked_wait(CaseInsensitiveDict({**date, "Retry-After": later}), 503)
        assert asked is not None
        assert 98 <= asked <= 100


def test_a_reset_is_no_reason_to_wait_after_a_failure() -> None:
    headers = {"X-RateLimit-Reset": "50", "X-RateLimit-Remaining": "12"}
    assert asked_wait(CaseInsensitiveDict(headers), 500) is None
    assert asked_wait(CaseInsensitiveDict({"X-RateLimit-Reset": "50"}), 500) is None
    headers["X-RateLimit-Remaining"] = "0"
    assert asked_wait(CaseInsensitiveDict(headers), 503) == 50


NAMES = ["Retry-After", "Date", "X-RateLimit-Reset", "RateLimit", "X-RateLimit-Remaining"]
ODD = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.floats().map(str),
    st.integers(-(10**400), 10**400).map(str),
    st.lists(
        st.sampled_from(["Mon", "06", "May", "99999", "-0001", "24:61:61", "GMT", ",", "+9999"])
    ).map(" ".join),
)  # fmt: skip


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), ODD))
def test_no_header_raises(headers: dict[str, str]) -> None:
    asked = asked_wait(CaseInsensitiveDict(headers), 429)
    assert asked is None or asked >= 0


def users(world: World, number: int = 1) -> list[str]:
    """So many promotions, each with one list of users."""
    parents = [str(n) for n in range(number)]
    world.api.lists.update({f"/users/{n}": [{"id": "u"}] for n in parents})
    return parents


def gaps(world: World, path: str) -> list[float]:
    """Seconds between the requests for a path."""
    at = [seen.at for seen in world.api.asked(path)]
    return [after - before for before, after in pairwise(at)]


def test_the_servers_clock_counts_for_a_date(world: World) -> None:
    parents = users(world)
    headers = {"Date": DATE, "Retry-After": http(1)}
    world.api.fail("/users/0", times=1, status=503, headers=headers)
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert found["users of 0"].error is None
    assert 0.9 <= gaps(world, "/users/0")[0] < 30


@pytest.mark.long
def test_a_429_is_waited_out_however_many_there_are(world: World) -> None:
    parents = users(world)
    world.api.fail("/users/0", times=3, status=429)
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert (found["users of 0"].error, found["users of 0"].retries) == (None, 3)
    assert all(1 <= gap < 1.6 for gap in gaps(world, "/users/0"))


#: What a 429 for ever says; max_wait is 3 s and the window 1 s: so many requests at most.
FOR_EVER: dict[str, tuple[dict[str, str], int]] = {
    "429 without a time": ({}, 4),
    "429 with Retry-After 0": ({"Retry-After": "0"}, 5),
    "429 with Retry-After 0.1": ({"Retry-After": "0.1"}, 5),
    "429 with Retry-After 2": ({"Retry-After": "2"}, 2),
    "429 with a reset now": ({"X-RateLimit-Reset": "0"}, 5),
}


@pytest.mark.parametrize(
    "name",
    [
        name if name.endswith("without a time") else pytest.param(name, marks=pytest.mark.long)
        for name in FOR_EVER
    ],
)
def test_a_429_for_ever_ends_with_the_patience(world: World, name: str) -> None:
    headers, most = FOR_EVER[name]
    parents = users(world, 30)
    world.configure("promotions", max_wait=3, max_concurrency=1)
    for parent in parents:
        world.api.fail(f"/users/{parent}", status=429, headers=headers)
    started = time.monotonic()
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert time.monotonic() - started < 30
    errors = [str(listing.error) for listing in found.values()]
    assert len([error for error in errors if "max_wait is 3 s" in error]) == 30
    assert len([error for error in errors if "not asked for" in error]) >= 27
    assert len(world.api.asked("/users/0")) <= most
    assert len(world.api.seen) <= 3 * most


@pytest.mark.long
def test_one_list_that_is_refused_for_ever_stops_no_other(world: World) -> None:
    parents = users(world, 12)
    world.configure("promotions", max_wait=2, max_concurrency=2)
    world.api.fail("/users/0", status=429)
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert [name for name, listing in found.items() if listing.error] == ["users of 0"]


@pytest.mark.parametrize("code", [429, pytest.param(503, marks=pytest.mark.long)])
def test_a_rest_that_is_too_long_is_asked_for_once(world: World, code: int) -> None:
    parents = users(world, 200)
    world.api.latency = 0.02
    world.configure("promotions", max_concurrency=4)
    world.api.fail("/users/0", status=code, headers={"Retry-After": "1800"})
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert len(world.api.seen) <= 40, "what was under way before the answer was read, and no more"
    told = [str(listing.error) for listing in found.values() if listing.error]
    assert len([error for error in told if "asked again in 1800 s: longer than" in error]) == 1
    reasons = {error.partition("users: ")[2] or error.rpartition(": not")[2] for error in told[1:]}
    assert len([reason for reason in reasons if "to be left alone until" in reason]) == 1
    assert len(told) >= 160


def test_the_sensor_asks_for_nothing_before_the_rest_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.api.lists["/promotions"] = [{"id": "0"}]
    parents = users(world, 3)
    world.sync("promotions", "promotions", "users", parents={"promotions": parents})
    world.api.fail("/users/0", status=429, headers={"Retry-After": "1800"})
    world.sync("promotions", "users", parents={"promotions": parents})
    api, now = APIS["promotions"], times.now()

    def asked_again() -> set[bool]:
        verdicts = evaluate_freshness(api, state(api), automation(api), times.now())
        return {verdict.retry_at <= times.now() for verdict in verdicts}

    monkeypatch.setattr(times, "now", lambda: now + timedelta(seconds=1780))
    assert asked_again() == {False}
    monkeypatch.setattr(times, "now", lambda: now + timedelta(seconds=1830))
    assert asked_again() == {True}
    world.api.heal()
    world.forget_rests()
    assert world.sync("promotions", "users", parents={"promotions": parents})
    assert state(api).rest_ends_at < now


@pytest.mark.long
def test_other_processes_of_the_account_ask_for_nothing_either(world: World) -> None:
    parents = users(world, 3)
    world.configure("promotions", requests_per_minute=1_000)
    world.api.fail("/users/0", status=429, headers={"Retry-After": "1800"})
    task = Task("promotions", ["users"], {"promotions": parents[:1]})
    other = Task("promotions", ["users"], {"promotions": parents[1:]})
    with workers(2, world.folder) as (first, second):
        assert "asked again in 1800 s" in first.sync(task).errors["users of 0"]
        errors = second.sync(other).errors
    assert len(world.api.seen) == 1
    assert all("the API asks to be left alone until" in error for error in errors.values())
    assert sorted(errors) == ["users of 1", "users of 2"]


FAULTS: dict[str, str] = {
    **{
        f"429 with: {name}": "waited out, complete" for name, (_, asked) in HEADERS.items() if asked
    },
    **{f"for ever: {name}": "the list fails once `MAX_WAIT` is used up" for name in FOR_EVER},
    "Retry-After longer than `MAX_WAIT`": "fails at once; until then no process asks again",
}
