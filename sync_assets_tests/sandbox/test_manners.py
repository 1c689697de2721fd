"""The sandbox enforces windows, tells what is left, and takes page sizes as it is told to."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sync_assets.sandbox import SECRETS, Manners, Sandbox, Scale
from sync_assets.sandbox import Account as Played
from sync_assets.sources.rest import sandbox as ours
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.http.windows import Quota, RateWindow
from sync_assets_tests.support.world import APIS, World


def ask(sandbox: Sandbox, **params: Any) -> requests.Response:
    """A page of orders."""
    url = sandbox.base_url("events") + "/orders"
    return requests.get(url, params=params, auth=(SECRETS["events"], ""), timeout=10)


def played(**manners: Any) -> Sandbox:
    """A sandbox with a few orders and such manners."""
    return Sandbox(Played(scale=Scale(orders=30, exact=True)), manners=Manners(**manners))


def test_windows_are_enforced_and_told() -> None:
    with played(windows=((2, 86_400.0), (1_000, 86_400.0))) as sandbox:
        answers = [ask(sandbox) for _ in range(3)]
        assert requests.get(sandbox.base_url("promotions") + "/promotions", timeout=10).ok is False
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    left = [answer.headers["X-Rate-Limit-Remaining"] for answer in answers]
    assert left == ["1", "0", "0"]
    assert answers[2].headers["X-Rate-Limit-Limit"] == "2"
    assert 0 < int(answers[2].headers["Retry-After"]) <= 86_400
    assert sandbox.refused == 1


def test_nothing_is_told_where_headers_are_off() -> None:
    with played(windows=((1, 86_400.0),), headers=False) as sandbox:
        answers = [ask(sandbox) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert not [name for answer in answers for name in answer.headers if "limit" in name.lower()]
    assert "Retry-After" not in answers[1].headers


def test_a_page_size_is_lowered_after_the_first_page() -> None:
    with played(page_sizes="lowered") as sandbox:
        first = ask(sandbox, limit=12).json()["data"]
        second = ask(sandbox, limit=12, starting_after=first[-1]["id"]).json()["data"]
    assert (len(first), len(second)) == (12, 10)


@pytest.mark.parametrize(
    ("page_sizes", "status", "rows"),
    [("honoured", 200, 30), ("refused", 400, 0), ("ignored", 200, 10)],
)
def test_a_page_size_is_honoured_refused_or_ignored(
    page_sizes: str, status: int, rows: int
) -> None:
    with played(page_sizes=page_sizes) as sandbox:
        answer = ask(sandbox, limit=100)
        assert ask(sandbox).ok
    assert (answer.status_code, len(answer.json().get("data", ()))) == (status, rows)


def test_the_sandbox_of_a_sync_is_configured(world: World) -> None:
    api = APIS["events"]
    world.monkeypatch.delenv("SOURCES__EVENTS__REQUESTS_PER_MINUTE")
    world.configure("events", base_url="sandbox")
    assert api.quota() == Quota((), 0.2)
    world.monkeypatch.setenv("SANDBOX__QUOTA", "300/60")
    world.monkeypatch.setenv("SANDBOX__PAGE_SIZES", "ignored")
    ours._running.cache_clear()
    try:
        limiter = Account(api).connection.adapter.rate_limiter
        assert limiter.quota == Quota((RateWindow(300, 60),), 0.2)
        answer = ask(ours._running(), limit=100)
        assert answer.headers["X-Rate-Limit-Limit"] == "300"
        assert len(answer.json()["data"]) == 10
    finally:
        ours._running().stop()
        ours._running.cache_clear()
