"""A list that changes while it is read is read again; it loses no row, or it fails."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from sync_assets.sources.rest.extract import spool
from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.listed import listed
from sync_assets_tests.support.torn_reads import LARGE, SIZES, WAYS, History, fates
from sync_assets_tests.support.world import World

HISTORIES = Count("lists that change while they are read", sample=60, full=10_000)
OVER_HTTP = Count("lists that change while they are read, over HTTP", sample=8, full=100)
PATHS = {"promotions": "/promotions", "coupons": "/v1/coupons", "orders": "/orders"}

FAULTS = {
    "a row is deleted in front of a numbered page, the total falls": "the list is read again",
    "a row is deleted in front of an offset": "the list is read again",
    "rows are deleted in front of the next page in each of three reads": "red: the list moved",
    "a row is deleted in front of a key cursor": "nothing: the cursor holds",
    "a row is inserted in front": "it comes a second time, and is taken once",
    "a row is inserted behind a numbered page, the total rises": "the list is read again",
}


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("way", WAYS)
@HISTORIES
def test_no_row_that_lives_through_a_read_is_lost(
    way: str, most: int, record_property: Callable[[str, Any], None]
) -> None:
    found = fates(way, HISTORIES.size, SEED, most)
    record_property("figures", f"{way}, up to {most} changes a page: {dict(found)}")
    seen_by_nobody = most > 1 and not WAYS[way].proven
    assert found["lost"] <= (HISTORIES.size / 10 if seen_by_nobody else 0)
    assert found["whole"] > found["red"]


@pytest.mark.parametrize(
    ("source", "resource"),
    [("promotions", "promotions"), ("affiliates", "coupons"), ("events", "orders")],
)
@OVER_HTTP
def test_no_row_is_lost_over_http(world: World, source: str, resource: str) -> None:
    dice = random.Random(SEED)
    world.configure(source, max_retries=0)
    world.api.totals = True
    world.api.count_from(0)
    for _ in range(OVER_HTTP.size):
        history = History(dice, 3, LARGE if resource == "coupons" else SIZES)
        rows: list[dict[str, Any]] = []

        def moves(history: History = history, rows: list[dict[str, Any]] = rows) -> None:
            history.moves()
            rows[:] = records(history, resource)

        rows[:] = records(history, resource)
        world.api.heal()
        world.api.page_size = history.size
        world.api.lists[PATHS[resource]] = rows
        world.api.fail(PATHS[resource], after=moves)
        found, ids = listed(source, resource)
        if found.error is None:
            assert history.lived <= {int(one.strip("o")) for one in ids}
        else:
            assert "read 3 times" in found.error or "404" in found.error


def records(history: History, resource: str) -> list[dict[str, Any]]:
    """The rows of a history as an API lists them."""
    return [{"id": f"o{n}" if resource == "orders" else n} for n in history.ids]


def coupons(world: World, count: int) -> list[dict[str, Any]]:
    """So many coupons, ten a page, with a total."""
    world.api.totals, world.api.page_size = True, 10
    world.api.lists["/v1/coupons"] = [{"id": n, "coupon": f"C{n}"} for n in range(count)]
    return world.api.lists["/v1/coupons"]


def promotions(world: World, count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many promotions, three a page, by offset."""
    world.api.count_from(first)
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(count)]
    return world.api.lists["/promotions"]


def test_a_list_whose_total_falls_is_read_again_and_complete(world: World) -> None:
    rows = coupons(world, 25)
    world.api.fail("/v1/coupons", page=1, times=1, after=lambda: rows.pop(0))
    said: list[str] = []
    found, ids = listed("affiliates", "coupons", say=said.append)
    assert (found.error, found.rows, found.pages, found.requests) == (None, 24, 3, 5)
    assert (found.retries, found.duplicates) == (1, 0)
    assert ids == [str(n) for n in range(1, 25)]
    assert any("number of rows went from 25 to 24" in line for line in said)
    assert any("reading the list again from its start" in line for line in said)


def test_a_list_that_goes_on_moving_is_red_after_three_reads(world: World) -> None:
    rows = coupons(world, 25)
    assert world.sync("affiliates", "coupons")["coupons"].error is None
    world.api.heal()
    world.api.fail("/v1/coupons", page=1, after=lambda: rows.pop(0))
    found = world.sync("affiliates", "coupons")["coupons"]
    assert (found.error or "").endswith("went from 23 to 22 between two pages; read 3 times")
    assert (found.error or "").startswith("coupons, page 2 of ")
    assert len(world.api.asked("/v1/coupons")) == 6
    assert world.ids("affiliates.coupons") == list(range(25))


def test_a_row_inserted_in_front_costs_no_request(world: World) -> None:
    rows = coupons(world, 25)
    world.api.fail("/v1/coupons", page=1, times=1, after=lambda: rows.insert(0, {"id": 99}))
    found, _ = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.requests, found.duplicates) == (None, 25, 3, 1)


def test_a_row_inserted_behind_is_read_again(world: World) -> None:
    rows = coupons(world, 25)
    world.api.fail("/v1/coupons", page=1, times=1, after=lambda: rows.append({"id": 99}))
    found, _ = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.requests) == (None, 26, 5)


def test_a_row_deleted_in_front_of_a_key_is_no_matter(world: World) -> None:
    world.api.lists["/orders"] = [{"id": f"o{n}"} for n in range(8)]
    rows = world.api.lists["/orders"]
    world.api.fail("/orders", page=1, times=1, after=lambda: rows.pop(0))
    found, _ = listed("events", "orders")
    assert (found.error, found.rows, found.requests) == (None, 8, 3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 8, 20])
@pytest.mark.parametrize("first", [0, 1], ids=["from zero", "from one"])
def test_an_offset_is_asked_for_one_row_early(world: World, count: int, first: int) -> None:
    promotions(world, count, first)
    found, _ = listed("promotions", "promotions")
    assert (found.error, found.rows, found.duplicates) == (None, count, 0)
    assert found.requests == max(1, -(-(count - 1) // 2))
    cursors = [seen.query.get("next_cursor") for seen in world.api.asked("/promotions")]
    assert cursors[1:] == [str(n) for n in range(2 + first, count - 1 + first, 2)]


def test_a_row_deleted_in_front_of_an_offset_is_noticed(world: World) -> None:
    rows = promotions(world, 9)
    world.api.fail("/promotions", page=2, times=1, after=lambda: rows.pop(0))
    found, ids = listed("promotions", "promotions")
    assert (found.error, found.rows, found.retries) == (None, 8, 1)
    assert ids == [str(n) for n in range(1, 9)]


def test_a_row_deleted_after_the_first_page_is_noticed(world: World) -> None:
    rows = promotions(world, 9)
    world.api.fail("/promotions", page=1, times=1, after=lambda: rows.pop(0))
    found, _ = listed("promotions", "promotions")
    assert (found.error, found.rows, found.retries) == (None, 8, 1)


def test_rows_inserted_in_front_of_an_offset_are_no_matter(world: World) -> None:
    rows = promotions(world, 9)
    world.api.fail("/promotions", page=1, times=1, after=lambda: rows.insert(0, {"id": "99"}))
    found, _ = listed("promotions", "promotions")
    assert (found.error, found.rows, found.retries) == (None, 9, 0)


@pytest.mark.parametrize("count", [5, 6, 7, 9])
def test_a_cursor_that_only_looks_like_an_offset_is_followed_as_it_is(
    world: World, count: int
) -> None:
    """The cursor is the number of rows that are left, as of ids that count down."""
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(count)]
    world.api.cursor = lambda page: page.total - page.start - page.size
    world.api.position = lambda query: count - int(query.get("next_cursor", count))
    found, _ = listed("promotions", "promotions")
    assert (found.error, found.rows, found.retries) == (None, count, 0)
    assert found.requests == -(-count // 3) + (count in (6, 7))


def test_a_list_that_is_read_again_starts_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    monkeypatch.setattr(spool, "CHUNK", 5)
    rows = coupons(world, 25)
    rows[0]["surprise"], rows[3]["affiliate_id"] = "x", "no number"
    world.api.fail("/v1/coupons", page=2, times=1, after=lambda: rows.pop(0))
    found, ids = listed("affiliates", "coupons")
    assert (found.error, found.rows, found.pages, found.quarantined) == (None, 24, 3, 1)
    assert found.new_fields == set()
    assert ids == [str(n) for n in range(1, 25)]
