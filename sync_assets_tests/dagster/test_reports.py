"""The reports: what they count, where there is no matplotlib, and how they are switched off."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from sync_assets.lib.reports import plot as plotting
from sync_assets.lib.reports.assets import Report, build_report_definitions
from sync_assets.lib.reports.figures import Panel, table
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import APIS, World

NOON = 1_772_366_400  # 2026-03-01, a Sunday
REPORT = Report("any", APIS["affiliates"], "", ["referrals"], "day", {})


@pytest.fixture(params=["duckdb", "postgres"])
def account(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """An account, with a warehouse of either kind."""
    if request.param == "duckdb":
        yield world
        return
    with own_database() as name:
        yield PostgresWorld.over(world, name)


def report(runs: DagsterRuns, name: str) -> list[list[str]]:
    """The cells of a report's table, as its asset's page has them."""
    assert runs.run(f"reports/{name}").success
    text = str(runs.metadata(f"reports/{name}")["report"])
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.long
def test_the_funnel_counts_all_promotions_by_day(runs: DagsterRuns, account: World) -> None:
    below = {"promotions": ["1", "2"]}
    days = ["2026-03-01T23:59:59Z", "2026-03-01T00:00:00Z", "2026-02-28T10:00:00Z", None]
    account.api.lists |= {f"/users/{n}": [] for n in (1, 2)}
    account.api.lists["/users/1"] = [{"id": str(n), "created": day} for n, day in enumerate(days)]
    account.api.lists["/participations/1"] = [{"id": "p", "created": days[0]}]
    account.api.lists["/participations/2"] = [{"id": "p", "created": days[0]}]
    account.api.lists |= {f"/prizes/{n}": [] for n in (1, 2)}
    account.sync("promotions", "users", "participations", "prizes", parents=below)
    assert report(runs, "promotion_funnel") == [
        ["day", "users", "participations"],
        ["**all 2**", "3", "2"],
        ["2026-03-01", "2", "2"],
        ["2026-02-28", "1", "0"],
    ]


@pytest.mark.long
def test_revenue_adds_up_and_text_that_is_no_money_counts_as_nothing(
    runs: DagsterRuns, account: World
) -> None:
    account.api.lists["/v1/referrals"] = [
        {"id": 1, "created_at": NOON, "total_sales": "10.25", "commission": "-1.5"},
        {"id": 2, "created_at": NOON, "total_sales": "n/a", "commission": None},
        {"id": 3, "created_at": NOON + 86_400, "total_sales": "1200", "commission": "0.10"},
    ]
    account.sync("affiliates", "referrals")
    assert report(runs, "affiliate_revenue") == [
        ["week of", "referrals", "total_sales", "commission"],
        ["**all 2**", "3", "1,210.25", "-1.40"],
        ["2026-03-02", "1", "1,200", "0.10"],
        ["2026-02-23", "2", "10.25", "-1.50"],
    ]


@pytest.mark.long
def test_sales_are_in_the_currency_of_the_order(runs: DagsterRuns, account: World) -> None:
    yen, euro = {"code": "jpy", "base_multiplier": 1}, {"code": "eur", "base_multiplier": 100}
    order = {"status": "completed", "created_at": NOON}
    account.api.lists["/orders"] = [
        {"id": "1", **order, "total": 1050, "currency": euro},
        {"id": "2", **order, "total": 995, "currency": euro},
        {"id": "3", **order, "total": 300, "currency": yen},
        {"id": "4", **order, "total": 300, "currency": yen, "status": "cancelled"},
    ]
    account.api.lists["/issued_tickets"] = [
        {"id": "a", "status": "valid", "created_at": NOON},
        {"id": "b", "status": "void", "created_at": NOON},
    ]
    account.api.lists["/check_ins"] = [{"id": "c", "check_in_at": NOON + 86_400, "quantity": 2}]
    account.sync("events", "orders", "issued_tickets", "check_ins")
    assert report(runs, "event_sales") == [
        ["day", "tickets issued", "checked in", "orders in EUR", "orders in JPY"],
        ["**all 2**", "1", "2", "20.45", "300"],
        ["2026-03-02", "0", "2", "0", "0"],
        ["2026-03-01", "1", "0", "20.45", "300"],
    ]


PANEL = Panel("Users", {"users": {date(2026, 3, 1): 2.0, date(2026, 2, 27): 1.0}})


def test_a_plot_is_a_small_picture_in_the_text() -> None:
    pytest.importorskip("matplotlib")
    drawn = plotting.plot([PANEL, Panel("Nothing", {})])
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) < 20_000
    assert plotting.as_markdown(drawn).startswith("![plot](data:image/png;base64,iVBORw0KGgo")


def test_without_the_extra_the_table_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotting, "find_spec", lambda name: None)
    assert plotting.plot([PANEL]) is None
    assert "Install `sync-assets[reports]` for a plot" in plotting.as_markdown(None)


def test_a_table_shows_the_newest_days_and_the_sum_of_all() -> None:
    days = {date(2026, 1, n): 1.5 for n in range(1, 21)}
    lines = table([Panel("", {"users": days})], "day").splitlines()
    assert len(lines) == 3 + 14
    assert lines[2] == "| **all 20** | 30 |"
    assert lines[3] == "| 2026-01-20 | 1.50 |"
    assert table([Panel("", {})], "day") == "There are no rows yet."


@pytest.mark.parametrize(
    ("enabled", "base_url", "there"),
    [
        (None, "sandbox", 1),
        (None, "https://api.example.com", 0),
        ("false", "sandbox", 0),
        ("true", "https://api.example.com", 1),
    ],
)
def test_reports_are_there_in_the_sandbox_or_as_one_variable_says(
    monkeypatch: pytest.MonkeyPatch, enabled: str | None, base_url: str, there: int
) -> None:
    monkeypatch.setenv("SOURCES__AFFILIATES__BASE_URL", base_url)
    if enabled:
        monkeypatch.setenv("REPORTS__ENABLED", enabled)
    assets: Any = build_report_definitions([REPORT]).assets
    assert len(assets) == there


def test_reports_stand_apart_from_the_synced_assets(runs: DagsterRuns) -> None:
    graph = runs.definitions.resolve_asset_graph()
    names = {"promotion_funnel", "affiliate_revenue", "event_sales"}
    keys = {dg.AssetKey(["reports", name]) for name in names}
    assert keys == {k for k in graph.get_all_asset_keys() if graph.get(k).group_name == "reports"}
    assert all(graph.get(key).automation_condition is not None for key in keys)
