"""Alerts reach whoever is to be told: in as many parts as a service takes, each of them once."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.lib.alerts import delivery
from sync_assets.lib.alerts.channels import Channel, channels
from sync_assets.lib.alerts.delivery import DeliveryError, Undelivered, deliver
from sync_assets.lib.alerts.messages import (
    Change,
    Incident,
    Part,
    Room,
    Situation,
    diff,
    halves,
    message_of,
    parts_of,
)
from sync_assets.lib.alerts.sensor import AlertState
from sync_assets_tests.support.receivers import Webhook, webhook

# apprise looks for imghdr as long as there is one
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

LONG = [Change(f"failed: promotions/users ({n})\n  {'why ' * 50}{n}", bad=True) for n in range(20)]
FAULTS = {
    "an alert of 4,461 characters to a service that takes 2,000": "told in parts, each once",
    "a service that takes less than a line": "told in parts, each once",
    "a service that is down after the first part": "the others follow, none twice",
    "a service that refuses every alert": "given up after three ticks, others are told",
    "mail servers that do not answer": "20 s a tick for all of them, others are told",
    "a cursor of the alerts that is garbage": "begins anew",
}
Urls = Callable[..., list[Channel]]


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def to(monkeypatch: pytest.MonkeyPatch) -> Urls:
    """The addresses of URLs."""

    def to(*urls: str) -> list[Channel]:
        monkeypatch.setenv("ALERTS__URLS", " ".join(urls))
        return channels()

    return to


def url(hook: Webhook) -> str:
    return f"json://127.0.0.1:{hook.port}/"


def words(texts: list[str]) -> list[str]:
    return " ".join(texts).split()


@pytest.mark.parametrize(
    ("title", "body", "lines"),
    [(250, 2000, 0), (0, 2000, 0), (0, 160, 0), (20, 50, 0), (3, 7, 0), (250, 2000, 3), (1, 1, 0)],
)
def test_a_message_is_told_in_as_many_parts_as_its_service_takes(
    monkeypatch: pytest.MonkeyPatch, hook: Webhook, to: Urls, title: int, body: int, lines: int
) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    for name, value in {
        "title_maxlen": title,
        "body_maxlen": body,
        "body_max_line_count": lines,
    }.items():
        monkeypatch.setattr(NotifyJSON, name, value)
    news = LONG if body > 50 else LONG[:1]
    assert deliver(to(url(hook)), {}, news) == ({}, [])
    assert all(len(got["message"]) <= body and len(got["title"]) <= title for got in hook.got)
    whole = "".join(got["message"] for got in hook.got)
    expected = message_of(news).body if title else "".join(message_of(news)[:2])
    assert "".join(whole.split()) == "".join(expected.split())


@pytest.mark.parametrize("takes", [2000, 300])
def test_what_apprise_does_not_know_of_a_service_is_found_out(
    hook: Webhook, to: Urls, takes: int
) -> None:
    hook.takes = takes
    assert deliver(to(url(hook)), {}, LONG) == ({}, [])
    assert words([got["message"] for got in hook.got]) == message_of(LONG).body.split()


def test_a_message_that_was_begun_goes_on_where_it_was(hook: Webhook, to: Urls) -> None:
    hook.takes, hook.lasts = 2000, 2
    whom = to(url(hook))
    owed, troubles = deliver(whom, {}, LONG)
    assert len(hook.got) == 2
    assert troubles == ["URL 1 in ALERTS__URLS (json) answered 503"]
    owed = AlertState.load(AlertState(undelivered=owed).dump()).undelivered
    hook.lasts = 100
    again = [Change("recovered: promotions/users (0)", bad=False)]
    assert deliver(whom, owed, again) == ({}, [])
    expected = words([message_of(LONG).body, "recovered: promotions/users (0)"])
    assert words([got["message"] for got in hook.got]) == expected
    assert [got["type"] for got in hook.got][-1] == "success"


@pytest.mark.parametrize("status", [400, 404, 410, 413])
def test_what_is_refused_for_ever_is_given_up_and_blocks_nobody(
    hook: Webhook, to: Urls, status: int
) -> None:
    with webhook() as other:
        hook.status = status
        whom, owed = to(url(hook), url(other)), dict[int, Undelivered]()
        for n in range(4):
            owed, troubles = deliver(whom, owed, LONG if n == 0 else [])
            if n < 2:
                assert troubles == [f"URL 1 in ALERTS__URLS (json) answered {status}"]
        assert owed == {}
        assert hook.asked < 20
        assert len(other.got) == 1
        hook.status = 200
        assert deliver(whom, owed, LONG[:1]) == ({}, [])
        assert [got["message"] for got in hook.got] == [LONG[0].text]


def test_a_refusal_is_counted_where_nobody_else_is_told(hook: Webhook, to: Urls) -> None:
    hook.status, owed = 404, dict[int, Undelivered]()
    whom, told = to(url(hook)), ""
    for n in range(3):
        owed, (told,) = deliver(whom, owed, LONG[:1] if n == 0 else [])
    assert told == "URL 1 in ALERTS__URLS (json) answered 404: a message was dropped"
    assert owed == {}


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_dead_mail_servers_cost_a_tick_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch, hook: Webhook, to: Urls
) -> None:
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.5)
    with silent_server() as dead:
        mails = [
            f"mailto://me:secret@127.0.0.1:{dead}?from=a@b.org&to={n}@b.org" for n in range(12)
        ]
        whom = to(*mails, url(hook))
        started, threads = time.monotonic(), threading.active_count()
        owed, troubles = deliver(whom, {}, LONG[:1])
        assert time.monotonic() - started < 5  # one after the other they take six
        assert len(hook.got) == 1
        assert sorted(owed) == [*range(1, 13)]
        assert troubles[0] == "URL 1 in ALERTS__URLS (mailto) did not answer within 0 s"
        with pytest.raises(DeliveryError, match="has not answered since an earlier tick"):
            deliver(whom, owed, [])
        assert len(hook.got) == 1
    for thread in delivery._BUSY.values():
        thread.join(30)
    assert not any(thread.is_alive() for thread in delivery._BUSY.values())
    assert threading.active_count() < threads + 12


def test_nobody_is_told_by_halves_where_nobody_can_be_reached(hook: Webhook, to: Urls) -> None:
    hook.status = 503
    with pytest.raises(DeliveryError, match=r"^URL 1 in ALERTS__URLS \(json\) answered 503\. The"):
        deliver(to(url(hook)), {}, LONG[:1])


@given(
    st.text(max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    st.builds(Room, st.integers(0, 40), st.integers(1, 90), st.integers(0, 5)),
)
@settings(max_examples=300, deadline=None)
def test_parts_fit_and_hold_everything(title: str, body: str, limits: Room) -> None:
    parts = parts_of(Part(title, body, True), limits)
    for part in parts:
        assert len(part.title) <= limits.title
        assert len(part.body) <= limits.body
        assert not limits.lines or len(part.body.split("\n")) <= limits.lines
        assert part.body.strip()
    told = "".join(part.body for part in parts)
    assert "".join(told.split()) == "".join((body if limits.title else title + body).split())
    for part in parts:
        assert "".join("".join(p.body for p in halves(part)).split()) == "".join(part.body.split())


NOT_A_STATE = [
    "", "garbage", "[]", "null", "5", '"text"', "{", "[" * 100_000,
    '{"failed": 5, "open": "x", "owed": [], "runs": 7, "waiting": {"a": 1}}',
    '{"failed": {"a": 1, "b": {"x": ["k"], "2": 5, "3": [1, null, "k"]}}}',
    '{"owed": {"x": ["l"], "1": 5, "2": [1, ["a"], "l"], "3": {"lines": 1, "parts": [[1, 2]]}}}',
    '{"runs": "garbage", "waiting": [5, "id"], "open": [1, "x"], "more": {}}',
]  # fmt: skip


@pytest.mark.parametrize("cursor", NOT_A_STATE)
def test_a_cursor_of_any_form_is_a_state(cursor: str) -> None:
    state = AlertState.load(cursor)
    assert state.failures.cursor is None
    assert AlertState.load(state.dump()).dump() == state.dump()


def test_the_cursor_of_an_earlier_version_is_understood() -> None:
    earlier = {"runs": None, "waiting": ["id"], "failed": {"a/b": {"7": ["k", None]}},
               "open": ["check x"], "owed": {"2": ["failed: x\n  why"]}}  # fmt: skip
    state = AlertState.load(json.dumps(earlier))
    assert state.failures.marks == {("a/b", "k"): 7, ("a/b", None): 7}
    assert state.failures.waiting == ["id"]
    assert state.undelivered == {2: Undelivered([Change("failed: x\n  why", bad=True)])}


USERS_1, USERS_2 = ("promotions/users", "1"), ("promotions/users", "2")
CHECK = "check fresh of promotions/users"
DIFFS: dict[str, tuple[set[Incident], Situation, list[str]]] = {
    "nothing was wrong and nothing is": (set(), Situation({}, {}, {CHECK}), []),
    "what fails for one reason is one change": (
        set(),
        Situation({USERS_1, USERS_2}, {USERS_1: "500", USERS_2: "500"}, {USERS_1, USERS_2}),
        ["failed: promotions/users (1, 2)\n  500"],
    ),
    "what fails again is not told again": (
        {USERS_1},
        Situation({USERS_1}, {USERS_1: "another reason"}, {USERS_1}),
        [],
    ),
    "what is over has recovered, or is gone": (
        {USERS_1, USERS_2, CHECK},
        Situation({CHECK}, {}, {USERS_1, CHECK}),
        ["recovered: promotions/users (1)", "no longer exists: promotions/users (2)"],
    ),
    "what failed and passes again is told twice": (
        set(),
        Situation(set(), {CHECK: "5 rows"}, {CHECK}),
        [f"failed: {CHECK}\n  5 rows", f"recovered: {CHECK}"],
    ),
    "a run of no asset fails and does not recover": (
        set(),
        Situation(set(), {"run 1234 of prune": "no"}, {CHECK}),
        ["failed: run 1234 of prune\n  no"],
    ),
}


@pytest.mark.parametrize("case", DIFFS)
def test_what_is_told_is_what_changed(case: str) -> None:
    before, now, told = DIFFS[case]
    assert [change.text for change in diff(before, now)] == told
