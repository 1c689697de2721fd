"""Pages of another size than was asked for: refused, ignored, or lowered while a list is read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sync_assets.base import times
from sync_assets.cli import main
from sync_assets.lib.assets.results import materialization
from sync_assets_tests.support.page_sizes import LISTS, played
from sync_assets_tests.support.world import APIS, World

ROWS = 240
PATH = "/v1/coupons"
REFUSED = "to a page of 100 rows; reading pages without a limit"
FEWER = "100 rows a page were asked for, 10 came"
#: Requests of a first sync and of the next one, where 100 rows a page are wanted; and what is said.
SYNCS = {
    ("promotions", "honoured"): (3, 3, ""),
    ("promotions", "refused"): (4, 3, REFUSED),
    ("promotions", "ignored"): (24, 24, FEWER),
    ("promotions", "lowered"): (15, 15, FEWER),
    ("affiliates", "honoured"): (3, 3, ""),
    ("affiliates", "refused"): (11, 10, REFUSED),
    ("affiliates", "ignored"): (24, 24, FEWER),
    ("affiliates", "lowered"): (28, 24, "had 100 rows, the next one 10; reading pages of 10 rows"),
    ("events", "honoured"): (3, 3, ""),
    ("events", "refused"): (4, 3, REFUSED),
    ("events", "ignored"): (24, 24, FEWER),
    ("events", "lowered"): (15, 15, FEWER),
}
#: What an API makes of the page size that it is asked for.
FAULTS = {
    "an API refuses a page size (400 or 422)":
        "the list is read without one, which is said once; it is asked for again after a week",
    "an API sends fewer rows a page than it is asked for":
        "the list is complete, and it is said once",
    "an API sends fewer rows a page after the first page":
        "the list is complete; numbered pages are read again of so few rows, for a week",
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "manner"),
    [
        pytest.param(*case, marks=() if case[0] == "affiliates" else pytest.mark.long)
        for case in SYNCS
    ],
)
def test_a_list_is_read_as_the_api_sends_it_which_is_said_once(
    source: str, manner: str, tmp_path: Path
) -> None:
    first, second, said = SYNCS[source, manner]
    with played(source, manner, tmp_path, ROWS) as account:
        assert account.sync() == first
        news = [line for line in account.said if not line.endswith("from its start")]
        assert len(news) == bool(said)
        assert all(said in line for line in news)
        assert account.sync() == second
        assert account.said == []


@pytest.mark.long
@pytest.mark.parametrize("source", LISTS)
def test_a_refused_page_size_is_asked_for_again_after_a_week(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = timedelta()
    monkeypatch.setattr(times, "now", lambda: datetime.now(timezone.utc) + moved)
    with played(source, "refused", tmp_path, ROWS) as account:
        first = account.sync()
        requests = []
        for days in (6, 8, 14, 16):
            moved = timedelta(days=days)
            requests.append(account.sync())
    assert requests == [first - 1, first, first - 1, first]


@pytest.mark.long
@pytest.mark.parametrize("manner", ["refused", "lowered"])
def test_another_page_size_is_asked_for_at_once(manner: str, tmp_path: Path) -> None:
    with played("affiliates", manner, tmp_path, ROWS) as account:
        account.sync()
        usual = account.sync()
        account.configure(PAGE_SIZE=90)
        assert account.sync() > usual
        assert len([line for line in account.said if "; reading pages" in line]) == 1


def test_where_a_list_cannot_be_read_either_way_nothing_is_remembered(world: World) -> None:
    world.api.lists[PATH] = [{"id": n} for n in range(3)]
    world.api.fail(PATH, times=2, status=422, body=b"{}")
    found = world.sync("affiliates", "coupons")["coupons"]
    assert "the API answered 422" in (found.error or "")
    assert [seen.query.get("limit") for seen in world.api.asked(PATH)] == ["100", None]
    assert world.sync("affiliates", "coupons")["coupons"].error is None
    assert world.api.asked(PATH)[-1].query["limit"] == "100"


def test_numbered_pages_that_shrink_without_saying_so_are_read_again(world: World) -> None:
    """Without totals only the records show that pages begin earlier: none of them is new."""
    world.api.lists[PATH] = [{"id": n} for n in range(240)]
    world.api.page_size = 100
    world.api.fail(PATH, page=1, times=1, after=lambda: setattr(world.api, "page_size", 9))
    said: list[str] = []
    found = world.sync("affiliates", "coupons", say=said.append)["coupons"]
    assert (found.error, found.rows, found.duplicates) == (None, 240, 0)
    assert [line for line in said if "no end in sight; reading pages of 9 rows" in line]


@pytest.mark.long
def test_a_page_of_a_hundred_rows_is_a_tenth_of_the_requests(tmp_path: Path) -> None:
    taken = {}
    for manner in ("honoured", "ignored"):
        (folder := tmp_path / manner).mkdir()
        with played("events", manner, folder, 1_000) as account:
            taken[manner] = account.sync()
    assert taken == {"honoured": 10, "ignored": 100}


def test_dagster_the_warehouse_and_the_plan_tell_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with played("affiliates", "lowered", tmp_path, ROWS) as account:
        account.sync()
        assert main(["plan", "affiliates"]) == 0
        line = "affiliates/referrals: 10 rows a page came where 100 are wanted."
        assert line in capsys.readouterr().out
        event = materialization(APIS["affiliates"], account.found, alone=True)
        figures = {name: (event.metadata or {})[name] for name in ("page_limit", "rows_a_page")}
        assert figures == {"page_limit": 10, "rows_a_page": 10}
        size = account.history().page_size
        assert size is not None
        assert (size.wanted, size.limit, size.overlaps) == (100, 10, False)


@pytest.mark.parametrize(("manner", "requests"), [("honoured", 3), ("refused", 6)])
def test_the_size_of_a_list_can_be_asked_for(
    manner: str, requests: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with played("affiliates", manner, tmp_path, ROWS) as account:
        assert main(["plan", "affiliates", "--ask"]) == 0
        assert account.sandbox.requests == requests
        assert "The plan fits." in capsys.readouterr().out
