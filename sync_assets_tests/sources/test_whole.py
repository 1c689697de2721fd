"""What a body says about its own size and its next page is compared with what came."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from sync_assets_tests.support.dagster_world import PARTITION_SENSOR, DagsterRuns
from sync_assets_tests.support.listed import listed
from sync_assets_tests.support.world import World

PATHS = {"promotions": "/promotions", "coupons": "/v1/coupons", "orders": "/orders"}
SOURCES = {"promotions": "promotions", "coupons": "affiliates", "orders": "events"}
ROWS = 9
READS = 3

Edit = Callable[[dict[str, Any]], dict[str, Any]]


def without(*keys: str, **more: Any) -> Edit:
    """A body that lacks some keys and has others."""
    return lambda body: {**{k: v for k, v in body.items() if k not in keys}, **more}


def within(place: str, **more: Any) -> Edit:
    """A body with something else in one of its objects."""
    return lambda body: {**body, place: {**body.get(place, {}), **more}}


def renamed(old: str, new: str) -> Edit:
    """A body in which an object has another name."""
    return lambda body: {**{k: v for k, v in body.items() if k != old}, new: body[old]}


def laravel(page: int, **more: Any) -> Edit:
    """A body as Laravel's plain paginator writes it: all keys at the top, no `links`."""
    url = f"http://127.0.0.1/v1/coupons?page={page + 1}"
    said = {"current_page": page, "next_page_url": url, "last_page": 3, "total": 9, **more}
    return lambda body: {"data": body["data"], **said}


def end(**said: Any) -> Edit:
    """A body whose own sign says that the list ends here, beside something else."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        if "items" in body:
            return {**body, "paging": {"next_cursor": None, "items_page": 3}, **said}
        return {**body, "links": {"next": None}, **said}

    return edit


#: Bodies that contradict themselves, on a page of three: list, page, edit, cause.
CONTRADICTIONS: dict[str, tuple[str, int, Edit, str]] = {
    "Laravel's plain paginator": (
        "coupons",
        1,
        laravel(1),
        "next_page_url is set, this is page 1 of 3",
    ),
    "Laravel's, its link gone": ("coupons", 1, laravel(1, next_page_url=None), "page 1 of 3"),
    "Laravel's with a total alone": (
        "coupons",
        1,
        lambda b: {"data": b["data"], "links": {}, "total": 9},
        "counts 9 rows and sent 3",
    ),
    "links without next, last_page 3": (
        "coupons",
        1,
        lambda b: {**b, "links": {"first": "x"}, "meta": {"last_page": 3}},
        "page 1 of 3",
    ),
    "last_page as text": ("coupons", 1, end(meta={"last_page": "3"}), "page 1 of 3"),
    "totalPages": ("coupons", 1, end(page={"totalPages": 3}), "page 1 of 3"),
    "has_more": ("promotions", 1, end(has_more=True), "has_more is True"),
    "hasMore in meta": ("orders", 1, end(meta={"hasMore": True}), "meta.hasMore is True"),
    "hasNextPage in pageInfo": ("promotions", 2, end(pageInfo={"hasNextPage": 1}), "hasNextPage"),
    "isLast false": ("promotions", 1, end(isLast=False), "isLast is false"),
    "done false": ("coupons", 1, end(done=False), "done is false"),
    "next at the top": ("orders", 1, end(next="/orders?starting_after=r2"), "next is set"),
    "meta.next": ("orders", 1, end(meta={"next": "/x"}), "meta.next is set"),
    "meta.pagination.next_url": (
        "promotions",
        1,
        end(meta={"pagination": {"next_url": "/x"}}),
        "next_url is set",
    ),
    "@odata.nextLink": ("coupons", 1, end(**{"@odata.nextLink": "https://x"}), "nextLink is set"),
    "_links.next.href": ("orders", 1, end(_links={"next": {"href": "/x"}}), "_links.next is set"),
    "next_page_cursor": ("promotions", 1, end(next_page_cursor="abc"), "next_page_cursor is set"),
    "next_page": ("promotions", 1, end(next_page=2), "next_page is 2"),
    "a list of links": (
        "coupons",
        1,
        without("links", links=[{"rel": "next", "href": "/v1/coupons?page=2"}]),
        "links has a next one",
    ),
    "Laravel's list of links": (
        "coupons",
        1,
        end(
            meta={
                "links": [
                    {"url": None, "label": "&laquo; Previous"},
                    {"url": "http://x/?page=2", "label": "Next &raquo;"},
                ]
            }
        ),
        "meta.links has a next one",
    ),
    "paging renamed": (
        "promotions",
        1,
        renamed("paging", "pagination"),
        "pagination.next_cursor is 2",
    ),
    "paging renamed on page 2": (
        "promotions",
        2,
        renamed("paging", "page_info"),
        "page_info.next_cursor is 3",
    ),
    "links renamed": ("coupons", 1, renamed("links", "_links"), "_links.next is set"),
    "the cursor under another name": (
        "promotions",
        1,
        without("paging", paging={"cursor": 2}),
        "paging.cursor is set",
    ),
    "no paging": ("promotions", 1, without("paging"), "no 'paging' says whether"),
    "no paging on page 2": ("promotions", 2, without("paging"), "the page before had 'paging'"),
    "paging null": ("promotions", 2, without(paging=None), "had 'paging'"),
    "paging a list": ("promotions", 2, without(paging=[]), "had 'paging'"),
    "no links on page 2": ("coupons", 2, without("links"), "had 'links'"),
    "links null": ("coupons", 2, without(links=None), "had 'links'"),
    "next_cursor 0": (
        "promotions",
        1,
        within("paging", next_cursor=0),
        "next_cursor is 0: neither",
    ),
    "next_cursor 0 on page 2": (
        "promotions",
        2,
        within("paging", next_cursor=0),
        "next_cursor is 0",
    ),
    "next_cursor 0.0": ("promotions", 1, within("paging", next_cursor=0.0), "next_cursor is 0"),
    "next_cursor '0'": ("promotions", 1, within("paging", next_cursor="0"), "next_cursor is 0"),
    "next_cursor {}": ("promotions", 1, within("paging", next_cursor={}), "a JSON object"),
    "next_cursor []": ("promotions", 1, within("paging", next_cursor=[]), "a JSON list"),
    "next_cursor true": ("promotions", 1, within("paging", next_cursor=True), "is True: neither"),
    "next 0": ("coupons", 1, within("links", next=0), "links.next is 0"),
    "next an object": ("coupons", 1, within("links", next={"href": "/x"}), "a JSON object"),
    "items_page too large": (
        "promotions",
        2,
        within("paging", items_page=4),
        "counts 4 on this page, 3 came",
    ),
    "items_page too small": (
        "promotions",
        3,
        within("paging", items_page=2),
        "counts 2 on this page, 3 came",
    ),
    "numberOfElements": ("orders", 1, within("meta", numberOfElements=4), "counts 4"),
    "more rows than per_page": (
        "coupons",
        1,
        within("meta", per_page=2),
        "a page has 2 rows, 3 came",
    ),
    "fewer rows than per_page": (
        "coupons",
        1,
        within("meta", per_page=10),
        "a page has 10 rows, 3 came",
    ),
    "a total that is too large": (
        "coupons",
        3,
        within("meta", total=10),
        "counts 10 rows and sent 9",
    ),
    "a total that is too small": (
        "orders",
        3,
        within("meta", total_count=8),
        "counts 8 rows and sent 9",
    ),
    "a total at the top": ("promotions", 3, without(total=12), "counts 12 rows and sent 9"),
    "a count at the top": ("promotions", 3, without(count=12), "counts 12 and sent 9"),
    "an empty page of promotions": ("promotions", 2, without(items=[]), "an empty page says"),
    "an empty page of coupons": ("coupons", 2, without(data=[]), "an empty page says"),
    "an empty page of orders": ("orders", 2, without(data=[]), "an empty page says"),
}

OUTCOME = "once: asked again, complete; for ever: the list fails and names what does not agree"
FAULTS = {f"a page contradicts itself or the last one: {name}": OUTCOME for name in CONTRADICTIONS}


def fill(world: World) -> None:
    """Nine rows in each of three lists, in pages of three."""
    world.api.lists["/promotions"] = [{"id": f"r{n}"} for n in range(ROWS)]
    world.api.lists["/orders"] = [{"id": f"r{n}"} for n in range(ROWS)]
    world.api.lists["/v1/coupons"] = [{"id": n} for n in range(ROWS)]


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_body_that_contradicts_itself_is_asked_again_then_red(shared: World, name: str) -> None:
    resource, page, edit, cause = CONTRADICTIONS[name]
    path = PATHS[resource]
    shared.api.heal()
    fill(shared)
    shared.api.fail(path, page=page, edit=edit)
    found, _ = listed(SOURCES[resource], resource)
    place, _, why = (found.error or "").partition(": ")
    assert place == f"{resource}, page {page} of {shared.api.base_url(SOURCES[resource])}{path}"
    assert re.search(cause, why), why
    asked = len(shared.api.asked(path))
    assert asked == (READS * page if " and sent " in cause else page + 1)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_that_passes_costs_requests_and_nothing_else(
    world: World, name: str
) -> None:
    resource, page, edit, cause = CONTRADICTIONS[name]
    fill(world)
    world.api.fail(PATHS[resource], page=page, edit=edit, times=1)
    found, _ = listed(SOURCES[resource], resource)
    assert (found.error, found.rows, found.pages, found.retries) == (None, ROWS, 3, 1)
    assert found.requests == len(world.api.asked(PATHS[resource]))
    assert found.requests == (3 + page if " and sent " in cause else 4)


def always(**said: Any) -> Edit:
    """Every body says this beside the rest."""
    return lambda body: {**body, **said}


def while_more(**said: tuple[Any, Any]) -> Edit:
    """Every body says the first of two values while there is more, the second at the end."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        sign = body["links"]["next"] if "links" in body else body["paging"].get("next_cursor")
        last = sign is None
        return {**body, **{key: pair[last] for key, pair in said.items()}}

    return edit


#: What services of these shapes say, or might: it contradicts nothing.
ORDINARY: dict[str, tuple[str, Edit]] = {
    "Laravel's resources": (
        "coupons",
        while_more(
            meta=(
                {"from": 1, "last_page": 3, "per_page": 3, "path": "/", "to": 3, "total": 9},
                {"from": 7, "last_page": 3, "per_page": 3, "path": "/", "to": 9, "total": 9},
            )
        ),
    ),
    "Laravel's list of links": (
        "coupons",
        while_more(
            meta=(
                {"links": [{"url": "http://x?page=2", "label": "Next &raquo;", "active": False}]},
                {"links": [{"url": None, "label": "Next &raquo;", "active": False}]},
            )
        ),
    ),
    "sizes as text": ("coupons", always(meta={"per_page": "3", "total": "9", "last_page": "3"})),
    "sizes that are null": ("coupons", always(meta={"total": None, "last_page": None})),
    "a total": ("promotions", always(total=9)),
    "a total of a keyed list": ("orders", always(meta={"total": 9})),
    "totals of something else": (
        "coupons",
        always(totals={"total": 1200}, summary={"total": 40}, total_sales=77, total="125.50"),
    ),
    "a count of all": ("orders", always(count=9)),
    "a count of the page": ("promotions", always(count=3)),
    "a count of pages": ("promotions", always(page_count=3)),
    "has_more": ("orders", while_more(has_more=(True, False))),
    "has_more false with a link": ("orders", always(has_more=False)),
    "next_page_url": ("coupons", while_more(next_page_url=("http://x", None))),
    "next as text": ("promotions", while_more(next_page=("2", "null"))),
    "_links": ("coupons", while_more(_links=({"next": {"href": "/x"}}, {"next": {"href": None}}))),
    "a relay's page info": (
        "orders",
        while_more(
            pageInfo=(
                {"hasNextPage": True, "endCursor": "r2"},
                {"hasNextPage": False, "endCursor": "r8"},
            )
        ),
    ),
    "the limit": ("orders", always(meta={"limit": 100, "offset": 0})),
    "an envelope on one page": ("promotions", while_more(debug=({"ms": 3}, None))),
    "a next thing": ("promotions", always(next_event="ev_1", next_occurrence={"next": None})),
    "the object": ("orders", always(object="list", url="/v1/orders")),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_body_is_no_contradiction(world: World, name: str) -> None:
    resource, edit = ORDINARY[name]
    fill(world)
    world.api.fail(PATHS[resource], edit=edit)
    found, _ = listed(SOURCES[resource], resource)
    assert (found.error, found.rows, found.pages, found.requests) == (None, ROWS, 3, 3)


def test_records_are_not_the_envelope(world: World) -> None:
    record = {"has_more": True, "total": 50, "next": "/x", "meta": {"total": 7, "next": "/y"}}
    world.api.lists["/promotions"] = [{**record, "id": f"r{n}"} for n in range(ROWS)]
    found, _ = listed("promotions", "promotions")
    assert (found.error, found.rows, found.requests) == (None, ROWS, 3)


def test_an_empty_list_needs_no_envelope(world: World) -> None:
    world.api.lists["/promotions"] = []
    world.api.fail("/promotions", body=b'{"items": []}')
    assert listed("promotions", "promotions")[0].error is None


def test_a_full_page_needs_an_envelope(world: World) -> None:
    fill(world)
    world.configure("affiliates", page_size=3)
    world.api.fail("/v1/coupons", edit=without("links"))
    error = listed("affiliates", "coupons")[0].error or ""
    assert "page 1 of" in error
    assert "no 'links' says whether there is more" in error


def test_without_links_a_keyed_list_reads_on(world: World) -> None:
    fill(world)
    world.api.fail("/orders", page=2, edit=without("links"))
    found, _ = listed("events", "orders")
    assert (found.error, found.rows, found.requests) == (None, ROWS, 3)


@pytest.mark.parametrize("body", [b'[{"id": "1"}]', b'{"items": [{"id": "1"}]}'])
def test_a_ranking_needs_no_envelope(world: World, body: bytes) -> None:
    world.api.lists["/ranking/1"] = []
    world.api.fail("/ranking/1", body=body)
    found, _ = listed("promotions", "rankings", "1")
    assert (found.error, found.rows) == (None, 1)


def test_below_a_parents_list_that_is_cut_off_nothing_changes(world: World) -> None:
    fill(world)
    for n in range(ROWS):
        world.api.lists[f"/users/r{n}"] = [{"id": f"u{n}"}]
    assert not [x for x in world.sync("promotions", "promotions", "users").values() if x.error]
    world.api.fail("/promotions", page=1, edit=renamed("paging", "pagination"))
    found = world.sync("promotions", "promotions", "users")
    assert set(found) == {"promotions", "users"}
    assert "could not be read" in (found["users"].error or "")
    assert world.ids("promotions.promotions") == [f"r{n}" for n in range(ROWS)]
    assert world.ids("promotions.users") == [f"u{n}" for n in range(ROWS)]


@pytest.mark.long
def test_no_partition_retires_on_the_word_of_a_list_that_is_cut_off(
    synced: DagsterRuns, world: World
) -> None:
    keys = synced.instance.get_dynamic_partitions("promotions")
    world.api.page_size = 2
    world.api.fail("/promotions", page=1, edit=renamed("paging", "pagination"))
    assert not synced.run("promotions/promotions").success
    result = synced.tick(PARTITION_SENSOR)
    assert isinstance(result, dg.SkipReason) or not result.dynamic_partitions_requests
    assert synced.instance.get_dynamic_partitions("promotions") == keys
    assert len(world.ids("promotions.promotions")) == len(keys)
