"""Numbered pages of a list that tells its size overlap, where the API sends pages of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.paging.claims import Claims
from sync_assets.sources.rest.paging.overlap import SMALLEST_PAGE, Window, furthest
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.listed import listed
from sync_assets_tests.support.observers import Hearing
from sync_assets_tests.support.world import APIS, World

PATH = "/v1/coupons"
Rows = list[dict[str, Any]]


def moved(rows: Rows) -> None:
    """What no total shows: a row is deleted in front, another comes at the tail."""
    del rows[0]
    rows.append({"id": 9_001})


def touched(rows: Rows) -> None:
    """What no total shows: a row that was not read yet is now the first."""
    rows.insert(0, rows.pop(150))


#: What happens to a list of 250 rows after its first page.
FAULTS: dict[str, str] = {
    "a row is deleted in front of a numbered page, another comes at the tail":
        "the list is read again",
    "a row that was not read yet moves to the front": "the list is read again",
    "an API refuses a page of another size": "its pages are read as the links say",
    "an API sends another number of rows than was asked for": "its pages are read as the links say",
}  # fmt: skip
CHANGES: dict[str, Callable[[Rows], None]] = dict(zip(FAULTS, (moved, touched), strict=False))


def fill(world: World, count: int = 250, size: int = 100) -> Rows:
    """So many coupons, with a total."""
    world.api.totals, world.api.page_size = True, size
    world.api.lists[PATH] = [{"id": n} for n in range(count)]
    return world.api.lists[PATH]


def asked(world: World, path: str = PATH) -> list[tuple[int, int]]:
    """Number and limit of each page that was asked for."""
    seen = world.api.asked(path)
    return [(int(one.query.get("page", 1)), int(one.query["limit"])) for one in seen]


@given(st.integers(1, 100_000), st.integers(SMALLEST_PAGE, 250))
def test_a_page_begins_among_the_rows_that_are_read_and_brings_new_ones(
    read: int, size: int
) -> None:
    window = furthest(read, size)
    assert window.start < read < window.end
    assert window.limit <= size


@pytest.mark.parametrize(("size", "most"), [(100, 1.15), (50, 1.22), (40, 1.25), (20, 1.38)])
@pytest.mark.parametrize("pages", [20, 300])
def test_overlap_costs_few_requests(size: int, most: float, pages: int) -> None:
    rows = requests = 0
    while rows < size * pages:
        rows = furthest(rows, size).end if rows else size
        requests += 1
    assert requests / pages <= most


RIGHT = Claims(total=250, per_page=99, current=2, pages=3)


@pytest.mark.parametrize(
    "wrong", [{"total": None}, {"total": 150}, {"per_page": 100}, {"current": 3}, {"pages": 2}]
)
def test_a_page_must_say_that_it_is_the_one_asked_for(wrong: dict[str, Any]) -> None:
    window = Window(2, 99)
    assert window.explains(RIGHT, 99, 3)
    assert not window.explains(replace(RIGHT, **wrong), 99, 3)


@pytest.mark.parametrize(
    ("count", "pages"),
    [
        (0, []), (20, []), (99, []), (100, []), (101, [(2, 99)]), (198, [(2, 99)]),
        (199, [(2, 99), (3, 98)]), (294, [(2, 99), (3, 98)]), (295, [(2, 99), (3, 98), (4, 97)]),
    ],
)  # fmt: skip
def test_each_page_begins_with_the_last_row_of_the_page_before(
    world: World, count: int, pages: list[tuple[int, int]]
) -> None:
    fill(world, count)
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.duplicates, found.retries) == (None, count, 0, 0)
    assert asked(world) == [(1, 100), *pages]
    assert ids == [str(n) for n in range(count)]


def test_a_page_size_that_the_api_caps_overlaps_as_well(world: World) -> None:
    fill(world, 120, size=50)
    found, _ = listed("affiliates", "coupons")
    assert (found.error, found.rows) == (None, 120)
    assert asked(world) == [(1, 100), (2, 49), (3, 48)]


def test_small_pages_do_not_overlap(world: World) -> None:
    fill(world, 50, size=SMALLEST_PAGE - 1)
    assert listed("affiliates", "coupons")[0].rows == 50
    assert asked(world) == [(1, 100), (2, 100), (3, 100)]


def test_without_a_total_pages_do_not_overlap(world: World) -> None:
    fill(world)
    world.api.totals = False
    assert listed("affiliates", "coupons")[0].rows == 250
    assert asked(world) == [(1, 100), (2, 100), (3, 100)]


def test_where_no_limit_is_sent_pages_do_not_overlap(world: World) -> None:
    fill(world)
    api, result = replace(APIS["affiliates"], page_size=None), SyncResult()
    ListReader(Account(api), {}, result).read(api.endpoints["coupons"], None)
    assert {seen.query.get("limit") for seen in world.api.asked(PATH)} == {None}
    assert result.listings[ListKey("coupons")].rows == 250


@pytest.mark.parametrize("change", CHANGES)
def test_what_no_total_shows_is_noticed(world: World, change: str) -> None:
    rows = fill(world)
    world.api.fail(PATH, page=1, times=1, after=lambda: CHANGES[change](rows))
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.retries) == (None, 250, 1)
    assert ids == [str(row["id"]) for row in rows]


def test_what_no_total_shows_is_red_if_it_goes_on(world: World) -> None:
    rows = fill(world)
    world.api.fail(PATH, after=lambda: moved(rows))
    error = listed("affiliates", "coupons")[0].error or ""
    assert error.endswith("a page does not begin where the page before ends; read 3 times")


@pytest.mark.parametrize("count", [1, 99, 120, 200])
def test_rows_inserted_in_front_are_no_matter(world: World, count: int) -> None:
    rows = fill(world)

    def insert() -> None:
        rows[:0] = [{"id": 9_000 + n} for n in range(count)]

    world.api.fail(PATH, page=1, times=1, after=insert)
    found, ids = listed("affiliates", "coupons")
    assert found.error is None
    assert set(map(str, range(250))) <= set(ids)
    assert found.retries == (count == 200)


def test_a_row_deleted_within_an_overlap_of_several_rows_hides_none(world: World) -> None:
    rows = fill(world)
    world.api.fail(PATH, page=2, times=1, after=lambda: rows.pop(0))
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.retries) == (None, 0)
    assert set(map(str, range(1, 250))) <= set(ids)


def ten_or_a_hundred(limit: int) -> int:
    return 100 if limit > 10 else 10


#: How an API takes a limit that it does not send: rows on the page, 0 for a refusal.
SERVICES: dict[str, Callable[[int], int]] = {
    "any limit is a hundred": lambda _: 100,
    "any limit is thirty": lambda _: 30,
    "a limit is ten or a hundred": ten_or_a_hundred,
    "a limit is rounded down to tens": lambda limit: limit // 10 * 10,
    "a limit is rounded up to 25s": lambda limit: -(-limit // 25) * 25,
    "odd limits are refused": lambda limit: limit if limit % 2 == 0 else 0,
    "all limits but a hundred are refused": lambda limit: limit if limit == 100 else 0,
    "the third limit is refused": lambda limit: limit if limit != 98 else 0,
    "the third limit is another": lambda limit: limit if limit != 98 else 50,
}


def without_per_page(body: Any) -> Any:
    return {**body, "meta": {"total": body["meta"]["total"]}} if "meta" in body else body


ENVELOPES: dict[str, Callable[[Any], Any] | None] = {
    "Laravel's": None, "a total alone": without_per_page,
}  # fmt: skip


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize(("count", "refusal"), [(199, 400), (305, 422)])
@pytest.mark.parametrize("service", SERVICES)
def test_an_api_that_takes_no_other_limit_is_read_as_its_links_say(
    world: World, service: str, count: int, refusal: int, envelope: str
) -> None:
    fill(world, count)
    world.api.takes, world.api.refusal = SERVICES[service], refusal
    if (edit := ENVELOPES[envelope]) is not None:
        world.api.fail(PATH, edit=edit)
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.duplicates) == (None, count, 0)
    assert ids == [str(n) for n in range(count)]


def test_that_an_api_takes_no_other_limit_is_said_once_and_remembered(world: World) -> None:
    fill(world)
    world.api.lists["/v1/referrals"] = [{"id": n, "created_at": 1} for n in range(250)]
    world.api.takes, world.api.refusal = SERVICES["all limits but a hundred are refused"], 422
    world.configure("affiliates", max_concurrency=1)
    said: list[str] = []
    api, result = APIS["affiliates"], SyncResult(observer=Hearing(said.append))
    lists = ListReader(Account(api), {}, result)
    for name in ("coupons", "referrals"):
        lists.read(api.endpoints[name], None)
    plain = [(1, 100), (2, 100), (3, 100)]
    assert asked(world) == [(1, 100), (2, 99), *plain]
    assert asked(world, "/v1/referrals") == plain
    assert said == [
        "coupons: the API answered 422 to a page of 99 rows; reading pages as the links say"
    ]


def test_a_page_that_is_always_refused_is_red(world: World) -> None:
    fill(world)
    world.api.fail(PATH, page=2, status=400, body=b"{}")
    error = listed("affiliates", "coupons")[0].error or ""
    assert "page 2 of" in error
    assert "the API answered 400" in error
    assert asked(world) == [(1, 100), (2, 99), (1, 100), (2, 100)]


def test_a_list_that_moves_while_a_limit_is_refused_is_whole(world: World) -> None:
    rows = fill(world)
    world.api.takes = SERVICES["all limits but a hundred are refused"]
    world.api.refusal = 422
    world.api.fail(PATH, page=1, times=1, after=lambda: rows.pop(0))
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.rows) == (None, 249)
    assert ids == [str(n) for n in range(1, 250)]


@pytest.mark.parametrize(
    "query", ["page={}", "page={}&limit=100", "limit=100&order=id&page={}", "order=id&page={}"]
)
def test_the_other_parameters_of_a_link_stay(world: World, query: str) -> None:
    fill(world)
    world.api.next_link = lambda url, page: f"{url}?{query.format(page)}"
    assert listed("affiliates", "coupons")[0].rows == 250
    seen = world.api.asked(PATH)[1:]
    assert [(one.query["page"], one.query["limit"]) for one in seen] == [("2", "99"), ("3", "98")]
    assert {one.query.get("order") for one in seen} == {"id" if "order" in query else None}
    assert {one.raw_query.count("limit=") for one in seen} == {1}


def test_a_link_to_another_origin_is_not_followed(world: World, elsewhere: FakeApi) -> None:
    fill(world)
    world.api.next_link = lambda _, page: f"{elsewhere.base_url('affiliates')}{PATH}?page={page}"
    assert "another origin" in (listed("affiliates", "coupons")[0].error or "")
    assert not elsewhere.seen


def test_a_long_list_of_overlapping_pages_is_read_once(world: World) -> None:
    fill(world, 3_000, size=25)
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.duplicates) == (None, 3_000, 0)
    assert ids == [str(n) for n in range(3_000)]
    assert len(set(asked(world))) == found.requests < 160
