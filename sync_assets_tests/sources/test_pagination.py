"""Each API's way to hand out pages is followed to the end, with one request a page."""

from __future__ import annotations

from math import ceil
from typing import Any
from urllib.parse import urlsplit

import pytest

from sync_assets_tests.support.world import World

SIZES = [0, 1, 2, 3, 4, 6, 8]


def ids(count: int) -> list[dict[str, Any]]:
    """So many records with nothing but an id."""
    return [{"id": f"r{n}"} for n in range(count)]


def numbers(count: int) -> list[dict[str, Any]]:
    """So many affiliates, whose ids are numbers."""
    return [{"id": n, "coupon": f"C{n}"} for n in range(1, count + 1)]


def read_ids(world: World, source: str, resource: str, **arguments: Any) -> list[Any]:
    """The ids that a resource gives, in order."""
    return [row["id"] for row in world.read(source, resource, **arguments)]


@pytest.mark.parametrize("count", SIZES)
def test_a_body_cursor_is_followed_to_the_end(world: World, count: int) -> None:
    world.api.lists["/promotions"] = ids(count)
    assert read_ids(world, "promotions", "promotions") == [f"r{n}" for n in range(count)]
    cursors = [seen.query.get("next_cursor") for seen in world.api.asked("/promotions")]
    assert cursors == [None, *(str(n) for n in range(2, max(1, ceil(count / 3)) + 1))]


@pytest.mark.parametrize("paging", [{}, {"next_cursor": None}, {"next_cursor": ""}])
def test_a_body_cursor_ends_where_there_is_none(world: World, paging: dict[str, Any]) -> None:
    world.api.lists["/promotions"] = ids(5)
    world.api.last_paging = paging
    assert len(read_ids(world, "promotions", "promotions")) == 5
    assert len(world.api.asked("/promotions")) == 2


@pytest.mark.parametrize("count", [0, 3, 8])
@pytest.mark.parametrize(
    "link",
    [
        pytest.param(lambda url, page: f"{url}?page={page}", id="absolute"),
        pytest.param(lambda url, page: f"{urlsplit(url).path}?page={page}", id="relative"),
        pytest.param(lambda url, page: f"?page={page}", id="query"),
        pytest.param(lambda url, page: str(page), id="token"),
        pytest.param(lambda url, page: page, id="number"),
        pytest.param(lambda url, page: f"{url}?page={page}#top", id="fragment"),
    ],
)
def test_a_next_link_is_followed_in_any_form(world: World, count: int, link: Any) -> None:
    world.api.lists["/v1/coupons"] = numbers(count)
    world.api.next_link = link
    assert read_ids(world, "affiliates", "coupons") == list(range(1, count + 1))
    assert len(world.api.asked("/v1/coupons")) == max(1, ceil(count / 3))


@pytest.mark.parametrize("links", [{}, {"next": None}, {"next": ""}, {"next": False}])
def test_a_next_link_ends_where_there_is_none(world: World, links: Any) -> None:
    world.api.lists["/v1/coupons"] = numbers(5)
    world.api.last_links = links
    assert len(read_ids(world, "affiliates", "coupons")) == 5
    assert len(world.api.asked("/v1/coupons")) == 2


@pytest.mark.parametrize("query", ["page={}", "page={}&limit=3", "limit=3&page={}"])
def test_a_link_that_drops_the_page_size_gets_it_back(world: World, query: str) -> None:
    world.api.lists["/v1/coupons"] = numbers(8)
    world.configure("affiliates", page_size=3)
    world.api.next_link = lambda url, page: f"{url}?{query.format(page)}"
    assert len(read_ids(world, "affiliates", "coupons")) == 8
    asked = world.api.asked("/v1/coupons")
    assert [seen.query["limit"] for seen in asked] == ["3", "3", "3"]
    assert [seen.raw_query.count("limit=") for seen in asked] == [1, 1, 1]


@pytest.mark.parametrize("count", SIZES)
def test_the_last_id_leads_on_until_the_link_is_null(world: World, count: int) -> None:
    world.api.lists["/orders"] = ids(count)
    assert read_ids(world, "events", "orders") == [f"r{n}" for n in range(count)]
    cursors = [seen.query.get("starting_after") for seen in world.api.asked("/orders")]
    assert cursors == [None, *(f"r{n}" for n in range(2, count - 1, 3))]


@pytest.mark.parametrize("count", SIZES)
def test_without_links_the_last_id_leads_on_until_a_page_is_empty(world: World, count: int) -> None:
    world.api.lists["/orders"] = ids(count)
    world.api.fail("/orders", edit=lambda body: {"data": body["data"]})
    assert read_ids(world, "events", "orders") == [f"r{n}" for n in range(count)]
    assert len(world.api.asked("/orders")) == ceil(count / 3) + 1


def test_a_short_page_is_not_the_end(world: World) -> None:
    world.api.lists["/orders"] = ids(8)
    world.api.page_size = 2
    assert len(read_ids(world, "events", "orders")) == 8


def test_query_parameters_are_sent_with_every_page(world: World) -> None:
    world.api.lists["/orders"] = ids(8)
    read_ids(world, "events", "orders")
    assert [seen.query.get("limit") for seen in world.api.asked("/orders")] == ["100"] * 3
