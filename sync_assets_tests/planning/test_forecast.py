"""The forecast of a plan: what is told before a request is sent is what is then measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sync_assets.base import times
from sync_assets.cli import main
from sync_assets.planning.forecast import Forecast, Line, forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import automation
from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.warehouse.queries import state
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.dagster_world import environment
from sync_assets_tests.support.three_promotions import CHILD_PATHS, offer, promotion
from sync_assets_tests.support.world import APIS, World, new_world

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def told(source: str) -> Forecast:
    """The forecast of a source as the command line makes it."""
    api = APIS[source]
    known, settings = state(api), automation(api)
    return forecast(api, known, settings, evaluate_freshness(api, known, settings, times.now()))


def lines(found: Forecast) -> dict[str, Line]:
    return {line.resource: line for line in found.lines}


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["plan", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def seen(shared: World) -> World:
    """An account of three promotions after its first sync; users of the third have five pages."""
    offer(shared.api)
    shared.api.lists["/users/3"] = [{"id": str(n)} for n in range(13)]
    shared.monkeypatch.setenv("COLUMNS", "140")
    shared.configure("promotions", QUOTA="60/60", REQUESTS_PER_MINUTE="")
    shared.monkeypatch.delenv("SOURCES__PROMOTIONS__REQUESTS_PER_MINUTE")
    sync(Request(APIS["promotions"], list(APIS["promotions"].endpoints)))
    return shared


def test_before_the_first_sync_nothing_is_known_and_nobody_is_asked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = shown(capsys)
    assert printed.count("Unknown: all.") == 3
    assert "fits" not in printed
    assert world.api.seen == []


def test_the_requests_of_a_day_are_those_that_are_then_measured(seen: World) -> None:
    api = APIS["promotions"]
    found = told("promotions")
    seen.api.seen.clear()
    sync(Request(api, api.unpartitioned()))
    hour = len(seen.api.seen)
    sync(Request(api, api.children("promotions"), {"promotions": ["1", "3"]}))
    night = len(seen.api.seen) - hour
    month = 5 * 24 / 720
    assert 48 * (hour + night) == pytest.approx(found.fit.requests - found.load.ended)
    assert month < found.load.ended < month / 0.75
    assert (hour, night) == (2, 14)
    assert found.fit.share == pytest.approx(found.fit.requests / (48 * 60 * 24))


def test_each_line_tells_what_was_seen(seen: World) -> None:
    users = lines(told("promotions"))["users"]
    assert (users.lists, users.ended, users.unread, users.rows) == (3, 1, 0, 17)
    assert (users.pages, users.requests) == (7, 7)
    assert users.requests_a_day == pytest.approx(6 * 48, rel=0.02)


def test_the_command_tells_whether_the_plan_fits(
    seen: World, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = shown(capsys, "promotions")
    assert "promotions: 60 requests in 60 s, 20% in reserve: 69,120 requests a day" in printed
    assert printed.rstrip().endswith("The plan fits.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCES__PROMOTIONS__QUOTA", "1/200")
        printed = shown(capsys, "promotions")
    assert "The plan does not fit: it asks for 768 requests a day, 178% of the 432" in printed
    assert 'AUTOMATION__PROMOTIONS__TABLES_SCHEDULE="0 * * * *"' in printed
    assert "affiliates" not in printed


def test_a_plan_that_follows_the_advice_fits(seen: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCES__PROMOTIONS__QUOTA", "1/200")
        best = told("promotions").best
        assert best is not None
        for kind, timing in (("TABLES", best.tables), ("PARTITIONS", best.partitions)):
            patch.setenv(f"AUTOMATION__PROMOTIONS__{kind}_SCHEDULE", timing.cron)
            patch.setenv(f"AUTOMATION__PROMOTIONS__{kind}_MAX_AGE", str(timing.max_age))
        assert told("promotions").fits


def test_asked_an_api_that_sends_totals_tells_its_plan_before_the_first_sync(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.api.totals, world.api.page_size = True, 100
    for path, rows in (("affiliates", 250), ("coupons", 30), ("referrals", 1_000)):
        world.api.lists[f"/v1/{path}"] = [{"id": n} for n in range(rows)]
    printed = shown(capsys, "affiliates", "--ask")
    assert len(world.api.seen) == 3
    world.api.seen.clear()
    api = APIS["affiliates"]
    sync(Request(api, list(api.endpoints)))
    found = told("affiliates")
    assert found.fit.requests == 48 * len(world.api.seen)
    assert f"{found.fit.requests:,.0f} requests a day. All tables" in printed
    assert "The plan fits." in printed
    world.api.seen.clear()
    shown(capsys, "affiliates", "--ask")
    assert world.api.seen == []


def test_asked_an_api_without_totals_tells_what_has_one_page(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(world.api)
    world.api.lists["/promotions"].append(promotion("4"))  # pages have three rows
    printed = shown(capsys, "promotions", "--ask")
    assert [seen.path for seen in world.api.seen] == ["/promotions", "/organizing_brands"]
    below = "stages, users, participations, prizes, rankings"
    assert f"Unknown: promotions, {below}." in printed
    world.api.lists["/promotions"].pop()
    assert f"Unknown: {below}." in shown(capsys, "promotions", "--ask")
    world.api.lists["/promotions"].clear()
    assert "The plan fits." in shown(capsys, "promotions", "--ask")
    world.api.fail("/promotions", status=403)
    assert main(["plan", "promotions", "--ask"]) == 1
    assert "promotions: the API answered 403" in capsys.readouterr().out


def test_what_an_earlier_version_read_is_reckoned_by_its_rows(world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": n} for n in range(250)]
    world.api.page_size = 100
    sync(Request(APIS["affiliates"], ["coupons"]))
    assert lines(told("affiliates"))["coupons"].requests == 3
    world.query("UPDATE affiliates._syncs SET requests = NULL, pages = NULL")
    coupons = lines(told("affiliates"))["coupons"]
    assert (coupons.requests, coupons.pages, coupons.rows) == (3, None, 250)
    assert told("affiliates").unknown == ["affiliates", "referrals"]


def test_a_list_that_was_never_read_counts_as_the_others_of_its_asset(world: World) -> None:
    offer(world.api)
    world.api.lists["/promotions"].append(promotion("4"))
    for child in CHILD_PATHS:
        world.api.lists[f"/{child}/1"] = [{"id": str(n)} for n in range(9)]
    api = APIS["promotions"]
    sync(Request(api, api.unpartitioned()))
    sync(Request(api, api.children("promotions"), {"promotions": ["1", "3"]}))
    users = lines(told("promotions"))["users"]
    assert (users.lists, users.unread) == (4, 2)
    assert users.requests == 3 + 1 + 2 + 2


#: Three sizes of account: as the sandbox has it, many contests, many tickets.
SIZES = {
    "small": (Scale(), {"promotions", "affiliates", "events"}),
    "many contests": (Scale(promotions=300, users=400), {"promotions"}),
    "many tickets": (Scale(orders=30_000, vouchers=300), {"events"}),
}


@pytest.fixture(params=SIZES)
def account(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Sandbox, set[str]]]:
    """An account of the sandbox, at noon and as if it were a live one."""
    scale, sources = SIZES[request.param]
    moved = times.now() - NOON
    monkeypatch.setattr(times, "now", lambda: datetime.now(timezone.utc) - moved)
    account = Account(scale=scale, clock=NOON.timestamp)  # nothing changes while it is measured
    with new_world(tmp_path) as world, Sandbox(account) as sandbox:
        for name, value in environment(sandbox, tmp_path / "warehouse.duckdb").items():
            world.monkeypatch.setenv(name, value)
        yield sandbox, sources


@pytest.mark.long
def test_the_forecast_is_within_a_tenth_of_what_is_measured(
    account: tuple[Sandbox, set[str]],
) -> None:
    sandbox, sources = account
    for source in sorted(sources):
        api = APIS[source]
        sync(Request(api, list(api.endpoints)))
        found = told(source)

        def measured(request: Request) -> int:
            before = sandbox.requests_by_path().total()
            sync(request)
            return sandbox.requests_by_path().total() - before

        live = {
            str(verdict.parent)
            for verdict in evaluate_freshness(api, state(api), automation(api), times.now())
            if verdict.partitioned and not verdict.over
        }
        tables = Request(api, api.unpartitioned())
        swept, between = measured(tables), measured(replace(tables, read="heads"))
        proofs = timedelta(days=1) / (0.875 * automation(api).sweep_age(partitioned=False))
        a_day = proofs * swept + (48 - proofs) * between + found.load.ended
        for parent in api.parents:
            below = {parent.resource: sorted(live)}
            a_day += 48 * measured(Request(api, api.children(parent.resource), below))
        assert found.fit.requests == pytest.approx(a_day, rel=0.1)
        assert found.unknown == []
