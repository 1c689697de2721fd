"""The UI as a user walks it: lineage, plots, partitions, checks, and a run started by clicks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from sync_assets.sandbox import Account, Scale
from sync_assets_tests.support.browser import HEIGHT, WIDTH, Walk, find_browser, walking
from sync_assets_tests.support.dev import Dev, dev, is_synced, wait_for
from sync_assets_tests.support.project import copy_project
from sync_assets_tests.support.world import APIS

pytestmark = pytest.mark.long

SANDBOX = {
    "SANDBOX__NOW": "2026-03-01T12:00:00Z",
    "SANDBOX__PROMOTIONS": "12",
    "SANDBOX__EVENT_SERIES": "3",
}
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc).timestamp()
ACCOUNT = Account(scale=Scale(promotions=12, event_series=3), clock=lambda: NOON)
USERS = """{ assetNodeOrError(assetKey: {path: ["promotions", "users"]}) { ... on AssetNode {
  partitionKeys assetChecksOrError { ... on AssetChecks { checks { name } } } } } }"""
REPORTS = [
    ("promotion_funnel", "promotions", ["users", "participations", "prizes"]),
    ("affiliate_revenue", "affiliates", ["referrals"]),
    ("event_sales", "events", ["issued_tickets", "check_ins", "orders"]),
]
PLOTTED = ["bytes", "pages", "requests", "rows", "seconds"]
# grey are axes and letters, a curve has a colour
COLOURED = """canvas => {
  const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return dots.some((_, i) => i % 4 === 0 && dots[i + 3] && Math.abs(dots[i] - dots[i + 2]) > 60);
}"""


def has_reports(running: Dev) -> bool:
    """Whether the reports are there, which follow once nothing is being synced."""
    nodes = [one for one in running.state()["assetNodes"] if not is_synced(one)]
    return len(nodes) == len(REPORTS) and all(one["assetMaterializations"] for one in nodes)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Walk, dict[str, Any]]]:
    """A walk through a project that filled itself, and what `promotions/users` has."""
    program, folder = find_browser(), tmp_path_factory.mktemp("browser")
    with (
        dev(copy_project(folder / "project"), SANDBOX) as running,
        walking(program, running.url.removesuffix("/graphql"), folder) as walk,
    ):
        running.wait_for_everything(600)
        wait_for(lambda: has_reports(running) or None, 300)
        yield walk, running.ask(USERS)["assetNodeOrError"]


@pytest.fixture
def walk(filled: tuple[Walk, dict[str, Any]]) -> Walk:
    """The walk, wherever it stands."""
    return filled[0]


@pytest.fixture
def keys(filled: tuple[Walk, dict[str, Any]]) -> list[str]:
    """The partitions of `promotions/users`."""
    return list(filled[1]["partitionKeys"])


@pytest.fixture
def checks(filled: tuple[Walk, dict[str, Any]]) -> list[str]:
    """The checks of `promotions/users`."""
    return [check["name"] for check in filled[1]["assetChecksOrError"]["checks"]]


def open_users(walk: Walk) -> None:
    walk.page.goto(f"{walk.url}/assets/promotions/users")
    walk.see("Latest materialization", "Automation details")


def test_lineage_draws_every_asset_in_its_group_below_its_parent(walk: Walk) -> None:
    endpoints = [(api, endpoint) for api in APIS.values() for endpoint in api.endpoints.values()]
    assets = {f"{api.name}/{endpoint.name}" for api, endpoint in endpoints}
    arrows = {
        (f"{api.name}/{endpoint.parent}", f"{api.name}/{endpoint.name}")
        for api, endpoint in endpoints
        if endpoint.parent
    }
    assert (len(assets), len(arrows)) == (20, 8)
    assets |= {f"reports/{name}" for name, _, _ in REPORTS}
    arrows |= {
        (f"{source}/{resource}", f"reports/{name}")
        for name, source, resources in REPORTS
        for resource in resources
    }
    page = walk.page
    with walk.picture("lineage"):
        page.set_viewport_size({"width": WIDTH, "height": 2 * HEIGHT})
        page.goto(walk.url)
        page.get_by_role("link", name="Lineage").click()
        walk.see("Global asset lineage")
        page.locator("foreignObject.group").nth(3).wait_for()
        page.mouse.click(WIDTH / 2, 2 * HEIGHT - 100, button="right")
        page.get_by_role("menuitem", name="Expand all groups").click()
        zoom_out = page.get_by_role("button").filter(has=page.get_by_label("zoom_out"))
        for _ in range(20):
            zoom_out.click()
            page.wait_for_timeout(300)
            if walk.lineage() == (assets, arrows):
                break
        assert walk.lineage() == (assets, arrows)
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def test_partitions_are_green_and_tell_their_figures(walk: Walk, keys: list[str]) -> None:
    page = walk.page
    with walk.picture("partitions"):
        open_users(walk)
        walk.tab("Partitions")
        walk.see("Failed (0)", f"Materialized ({len(keys)})", "Materializing (0)", "Missing (0)")
        assert set(keys) == set(ACCOUNT.parents("promotions", "users"))
        walk.see(*keys)
        assert page.locator("[style*='--color-accent-green']").count() >= len(keys)
        page.get_by_text(keys[0], exact=True).first.click()
        walk.see("Materialized", *PLOTTED)
        assert walk.figure("rows") == len(ACCOUNT.rows("promotions", "users", keys[0]))


def test_a_run_started_by_clicks_ends_green_and_its_checks_pass(
    walk: Walk, keys: list[str], checks: list[str]
) -> None:
    page = walk.page
    with walk.picture("launch"):
        open_users(walk)
        page.get_by_role("button", name="Materialize…").click()
        page.get_by_text("Select a partition or create one").click()
        page.get_by_role("menuitem", name=keys[0]).click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Launch 1 run").wait_for()
    with walk.picture("run"):
        page.get_by_role("button", name="Launch 1 run").click()
        page.get_by_role("link", name="View", exact=True).click()
        page.mouse.move(WIDTH / 2, 5)
        ended = page.get_by_text(re.compile(r"^(Success|Failure|Canceled)$")).first
        ended.wait_for(timeout=180_000)
        assert ended.inner_text() == "Success"
        walk.see(f"partition: {keys[0]}", "RUN_SUCCESS")
        page.get_by_text("Launched run").wait_for(state="hidden")
    with walk.picture("checks"):
        page.get_by_role("link", name="promotions / users", exact=True).first.click()
        walk.tab("Checks")
        walk.see(f"Checks ({len(checks)})", *checks)
        # a sensor publishes `fresh` too: before the rows of a run, it counts as not evaluated
        page.get_by_text("Succeeded", exact=True).nth(len(checks) - 2).wait_for()
        assert not page.get_by_text("Failed", exact=True).count()
        page.get_by_text("row_count", exact=True).first.click()
        walk.see("allowed_drop", "Passed")
        listed = [len(ACCOUNT.rows("promotions", "users", key)) for key in keys]
        assert walk.figure("rows") == sum(listed)


def test_an_asset_plots_its_figures_by_partition(walk: Walk) -> None:
    page = walk.page
    with walk.picture("plots"):
        open_users(walk)
        walk.see("promotions_sandbox.users", "promotions / promotions", "Upstream assets")
        page.get_by_text("Columns", exact=True).click()
        button = page.get_by_role("button", name="Plots")
        button.click()
        button.blur()
        walk.see(*PLOTTED)
        page.locator("canvas").nth(len(PLOTTED)).wait_for()
        page.wait_for_timeout(2000)  # curves are drawn at leisure
        curves = [canvas.evaluate(COLOURED) for canvas in page.locator("canvas").all()]
        assert len(curves) > len(PLOTTED)
        assert all(curves)


def counted(report: str) -> int:
    """The first sum of a report, by what the account lists."""
    if report == "promotion_funnel":
        keys = ACCOUNT.parents("promotions", "users")
        return sum(len(ACCOUNT.rows("promotions", "users", key)) for key in keys)
    if report == "affiliate_revenue":
        return len(ACCOUNT.rows("affiliates", "referrals"))
    tickets = ACCOUNT.rows("events", "issued_tickets")
    return len([ticket for ticket in tickets if ticket["status"] == "valid"])


@pytest.mark.parametrize("report", [name for name, _, _ in REPORTS])
def test_a_report_shows_a_table_and_a_plot(walk: Walk, report: str) -> None:
    page = walk.page
    with walk.picture(report):
        page.goto(f"{walk.url}/assets/reports/{report}")
        page.get_by_text("[Show Markdown]").first.click()
        plot = page.get_by_role("img", name="plot", exact=True)
        plot.wait_for()
        assert plot.evaluate("picture => picture.complete && picture.naturalWidth") > 500
        (sums,) = page.locator("tr").filter(has_text=re.compile("^all ")).all()
        assert sums.locator("td").nth(1).inner_text() == f"{counted(report):,}"
        page.wait_for_timeout(1000)  # the dialog is faded in
