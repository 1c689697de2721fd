"""A list of many pages is told while it is read: how far it is, and when about it will end."""

from __future__ import annotations

import re
import time
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from sync_assets.report import Watcher
from sync_assets.sources.rest.http.windows import Quota, RateWindow
from sync_assets.sources.rest.list_state import ListState
from sync_assets.warehouse import long_lists
from sync_assets.warehouse.progress import Progress
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.world import APIS, World

PAGES, SECONDS_A_PAGE = 60, 2.0
LINE = re.compile(
    r"(?P<name>.+): (?P<rows>[\d,]+) rows on (?P<pages>\d+)(?: of about (?P<of>\d+))? pages, "
    r"30 pages a minute(?:, (?P<free>[\d,]+) requests left in the quota)?"
    r"(?:, about (?P<left>\d+) s to go)?"
)


class PagedClock:
    """Seconds that pass with each page that the server sends."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """The seconds so far."""
        return self.seconds

    def pass_with(self, body: Any) -> Any:
        """Let the time of a page pass."""
        self.seconds += SECONDS_A_PAGE
        return body


def told(world: World, path: str, source: str, resource: str, parent: str) -> list[dict[str, Any]]:
    """What a sync says of one long list, line by line."""
    clock, said = PagedClock(), list[str]()
    world.api.faults.clear()
    world.api.fail(path, times=None, edit=clock.pass_with)
    progress = Progress(said.append, lambda tally: None, clock=clock)
    parents = {"promotions": [parent]} if parent else None
    assert not sync(Request(APIS[source], [resource], parents), progress).failed()
    found = [LINE.fullmatch(line) for line in said]
    return [match.groupdict() for match in found if match is not None]


def rows(number: int) -> list[dict[str, str]]:
    """Records of a list, three a page."""
    return [{"id": str(n)} for n in range(number)]


def test_a_list_is_told_after_ten_seconds_and_then_every_thirty(world: World) -> None:
    world.api.lists["/users/1"] = rows(3 * PAGES)
    lines = told(world, "/users/1", "promotions", "users", "1")
    assert [line["pages"] for line in lines] == ["6", "21", "36", "51"]
    assert [line["rows"] for line in lines] == ["18", "63", "108", "153"]
    assert all(line["of"] is line["left"] is line["free"] is None for line in lines)


def test_the_end_is_estimated_by_the_last_sync(world: World) -> None:
    world.api.lists["/users/1"] = rows(3 * PAGES)
    told(world, "/users/1", "promotions", "users", "1")
    lines = told(world, "/users/1", "promotions", "users", "1")
    assert [line["of"] for line in lines] == [str(PAGES)] * 4
    left = [(PAGES - int(line["pages"])) * SECONDS_A_PAGE for line in lines]
    assert [float(line["left"]) for line in lines] == left


def test_the_end_is_estimated_by_the_total_that_the_api_sends(world: World) -> None:
    world.api.totals = True
    world.configure("affiliates", requests_per_minute=100_000)
    path = APIS["affiliates"].endpoints["coupons"].path
    world.api.lists[path] = rows(3 * PAGES)
    lines = told(world, path, "affiliates", "coupons", "")
    assert [line["of"] for line in lines] == [str(PAGES)] * 4
    left = [(PAGES - int(line["pages"])) * SECONDS_A_PAGE for line in lines]
    assert [float(line["left"]) for line in lines] == left
    assert all(99_000 < int(line["free"].replace(",", "")) < 100_000 for line in lines)


def test_a_list_that_is_short_is_not_told(world: World) -> None:
    world.api.lists["/users/1"] = rows(3 * 5)
    assert told(world, "/users/1", "promotions", "users", "1") == []


def state(name: str, left: int, free: float = 10.0) -> ListState:
    """A list of ten rows a page with so many pages to come, 1,000 requests a minute."""
    quota = Quota((RateWindow(1_000, 60.0),))
    return ListState(name, 100, 1_000, 1_000 + left * 10, quota, lambda: free)


@pytest.mark.parametrize(
    ("left", "pace", "seconds"),
    [(310, 1.0, 310.0), (310, 100.0, 18.0), (5, 100.0, 0.05), (0, 1.0, None), (310, 0.0, None)],
)
def test_what_the_quota_has_room_for_bounds_the_estimate(
    left: int, pace: float, seconds: float | None
) -> None:
    found = state("orders", left).seconds_left(pace)
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_of_many_lists_those_with_the_most_to_come_are_told() -> None:
    clock, said = PagedClock(), list[str]()
    progress = Progress(said.append, clock=clock)
    for _ in range(7):
        clock.pass_with(None)
        for n in range(1, 6):
            progress.page(state(f"users of {n}", left=n))
    assert [line.partition(":")[0] for line in said] == ["users of 5", "users of 4", "users of 3"]


def test_a_terminal_shows_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_lists, "FIRST_SECONDS", 0.001)
    shown = StringIO()
    with Watcher(Console(file=shown, force_terminal=True, width=150), "events") as watcher:
        watcher.page(state("orders", left=310))
        time.sleep(0.01)
        watcher.page(state("orders", left=310))
    assert "events: orders: 1,000 rows on 100 of about 410 pages" in shown.getvalue()


@pytest.mark.long
def test_the_log_of_a_run_tells_it(
    world: World, runs: DagsterRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_lists, "FIRST_SECONDS", 1e-6)
    world.api.lists[APIS["affiliates"].endpoints["coupons"].path] = rows(3 * PAGES)
    run = runs.run("affiliates/coupons")
    assert run.success
    log = [entry.user_message for entry in runs.instance.all_logs(run.run_id)]
    assert [line for line in log if line.startswith("coupons: ") and "pages a minute" in line]
