"""Whatever an API does, a list arrives complete or fails by name with its old rows intact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any

import pytest

from sync_assets.sources.rest.list_result import ListResult
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.world import World

RETRIED, ONCE = 2, 1


@dataclass(frozen=True)
class Shape:
    """A partitioned resource of an API: where its lists are and under which key."""

    resource: str
    parent: str
    path: str
    selector: str


SHAPES = {
    "promotions": Shape("users", "promotions", "/users/{}", "items"),
    "events": Shape("events", "events_series", "/event_series/{}/events", "data"),
}


def status(code: int, asked: int, cause: str) -> tuple[dict[str, Any], int, str]:
    """A page that is never anything but this status."""
    return {"status": code}, asked, f"the API answered {code} .*{cause}"


def body(content: bytes, cause: str) -> tuple[dict[str, Any], int, str]:
    """A page that is always this under HTTP 200."""
    return {"body": content}, RETRIED, cause


#: What goes wrong with a page for ever, how often it is asked for, and the cause that is named.
BROKEN: dict[str, tuple[dict[str, Any], int, str]] = {
    "400": status(400, ONCE, ""),
    "401": status(401, ONCE, "credential is missing, wrong or expired"),
    "403": status(403, ONCE, "credential is wrong or may not read this"),
    "404": status(404, ONCE, "nothing at this address"),
    "408": status(408, RETRIED, ""),
    "425": status(425, RETRIED, ""),
    "410": status(410, ONCE, ""),
    "418": status(418, ONCE, ""),
    "501": status(501, ONCE, ""),
    "500": status(500, RETRIED, ""),
    "502": status(502, RETRIED, ""),
    "503": status(503, RETRIED, ""),
    "504": status(504, RETRIED, ""),
    "520": status(520, RETRIED, ""),
    "524": status(524, RETRIED, ""),
    "529": status(529, RETRIED, ""),
    "530": status(530, RETRIED, ""),
    "505": status(505, ONCE, ""),
    "519": status(519, ONCE, ""),
    "531": status(531, ONCE, ""),
    "429": status(429, RETRIED, ""),
    "304": status(304, ONCE, ""),
    "300 without a place": status(300, ONCE, ""),
    "reset": ({"reset": True}, RETRIED, "ConnectionError"),
    "cut in mid-body": ({"cut": 20}, RETRIED, "ChunkedEncodingError|ConnectionError"),
    "cut before the body": ({"cut": 0}, RETRIED, "ChunkedEncodingError|ConnectionError"),
    "timeout": ({"delay": 4.0}, RETRIED, "ReadTimeout"),
    "not gzip": ({"headers": {"Content-Encoding": "gzip"}}, RETRIED, "ContentDecodingError"),
    "204": ({"status": 204, "body": b""}, RETRIED, "the body is not JSON"),
    "HTML": body(b"<html>Sorry!</html>", r"not JSON \(application/json, 19 bytes\)"),
    "empty body": body(b"", "the body is not JSON"),
    "malformed JSON": body(b'{"items": [1,]}', "the body is not JSON"),
    "truncated JSON": body(b'{"items": [{"id": "1"}, {"i', "the body is not JSON"),
    "two bodies": body(b'{"items": []}{"items": []}', "the body is not JSON"),
    "UTF-16": body('{"items": []}'.encode("utf-16"), "the body is not JSON"),
    "nested too deep": body(b'{"items": ' + b"[" * 100_000, "the body is not JSON"),
    "null": body(b"null", "a JSON null, not an object"),
    "text": body(b'"nothing"', "a JSON string, not an object"),
    "number": body(b"0", "a JSON number, not an object"),
    "an error object": body(b'{"error": "later"}', r"is missing; keys: \['error'\]"),
    "a bare list": body(b"[]", "a JSON list, not an object"),
    "list null": body(b'{"items": null, "data": null}', "is null"),
    "list an object": body(b'{"items": {}, "data": {}}', "is object"),
    "list a string": body(b'{"items": "", "data": ""}', "is string"),
    "list false": body(b'{"items": false, "data": false}', "is boolean"),
}
#: Faults that pass: once only, and the list must be complete.
PASSING = [
    "408", "425", "500", "502", "503", "504", "520", "524", "529", "530", "429", "reset",
    "cut in mid-body", "timeout", "not gzip", "204", "HTML",
    "empty body", "truncated JSON", "an error object", "list null", "list an object",
]  # fmt: skip
#: Without 429, which ends the whole sync: `test_patience` has it.
LASTING = [name for name in BROKEN if name != "429"]
CASES: list[tuple[str, int, int | None]] = [
    (name, page, None) for name in LASTING for page in (1, 2)
]
CASES += [(name, page, 1) for name in PASSING for page in (1, 2)]


def partition(name: str, page: int, times: int | None) -> str:
    """The parent below which a fault happens."""
    return f"{name} on page {page} {'once' if times else 'for ever'}"


def records(source: str, generation: int) -> list[dict[str, Any]]:
    """Five records, later the same ones changed and a sixth."""
    field = "nickname" if source == "promotions" else "chk"
    return [{"id": str(n), field: f"generation {generation}"} for n in range(5 + generation)]


@dataclass(frozen=True)
class Outcome:
    """What became of all faults in one sync."""

    world: World
    source: str
    shape: Shape
    listings: dict[str, ListResult]
    rows: dict[str, list[dict[str, Any]]]

    def listing(self, parent: str) -> ListResult:
        """The fate of the list below a parent."""
        return self.listings[f"{self.shape.resource} of {parent}"]


@pytest.fixture(
    scope="module", params=["promotions", pytest.param("events", marks=pytest.mark.long)]
)
def outcome(shared: World, request: pytest.FixtureRequest) -> Iterator[Outcome]:
    """One good sync of all partitions, then one in which nearly each has a fault of its own."""
    source = request.param
    shape, api = SHAPES[source], shared.api
    parents = [partition(*case) for case in CASES] + ["good"]
    shared.configure(source, timeout=2.5, max_concurrency=20)
    for generation in (0, 1):
        api.lists = {shape.path.format(p): records(source, generation) for p in parents}
        for name, page, times in CASES if generation else []:
            path = shape.path.format(partition(name, page, times))
            api.fail(path, page=page, times=times, **BROKEN[name][0])
        api.seen.clear()
        found = shared.sync(source, shape.resource, parents={shape.parent: parents})
    rows: dict[str, list[dict[str, Any]]] = {parent: [] for parent in parents}
    column = "promotion_id" if source == "promotions" else "event_series_id"
    for row in shared.rows(f"{source}.{shape.resource}"):
        rows[row.pop(column)].append(row)
    yield Outcome(shared, source, shape, found, rows)
    api.heal()


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("name", LASTING)
def test_a_list_that_stays_broken_fails_by_name_and_keeps_its_rows(
    outcome: Outcome, name: str, page: int
) -> None:
    parent = partition(name, page, None)
    error = outcome.listing(parent).error or ""
    place, _, cause = error.partition(": ")
    path = outcome.world.api.base_url(outcome.source) + outcome.shape.path.split("{")[0]
    assert place.startswith(f"{outcome.shape.resource} of {parent}, page {page} of {path}")
    assert outcome.rows[parent] == records(outcome.source, 0)
    assert re.search(BROKEN[name][2], cause), cause


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("name", LASTING)
def test_a_page_is_asked_for_again_only_where_that_may_help(
    outcome: Outcome, name: str, page: int
) -> None:
    asked = outcome.world.api.asked(outcome.shape.path.format(partition(name, page, None)))
    without_limit = (name, page, outcome.source) == ("400", 1, "events")  # it may refuse the limit
    assert len(asked) == page - 1 + BROKEN[name][1] + without_limit


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_costs_a_request_and_nothing_else(
    outcome: Outcome, name: str, page: int
) -> None:
    parent = partition(name, page, 1)
    listing = outcome.listing(parent)
    assert (listing.error, listing.retries, listing.requests) == (None, 1, 3)
    assert outcome.rows[parent] == records(outcome.source, 1)


def test_a_healthy_partition_is_loaded_among_broken_ones(outcome: Outcome) -> None:
    assert outcome.listing("good").error is None
    assert outcome.rows["good"] == records(outcome.source, 1)


def test_no_message_holds_a_credential(outcome: Outcome) -> None:
    assert not [x.error for x in outcome.listings.values() if x.error and "canary" in x.error]


def fresh(api: FakeApi, path: str) -> None:
    """Five records at a path."""
    api.lists[path] = [{"id": str(n)} for n in range(5)]


def strange_page(source: str, cursor: Any, rows: list[Any]) -> Any:
    """An edit that puts these rows and this next cursor on a page."""
    turn = cursor if callable(cursor) else lambda: cursor
    if source == "promotions":
        return lambda _: {"items": rows, "paging": {"next_cursor": turn()}}
    return lambda _: {"data": rows, "links": {"next": turn()}}


#: Pages without end: what each page holds and where it says the next one is.
ENDLESS: dict[str, tuple[str, Any, list[Any], str]] = {
    "a repeated cursor": ("promotions", 2, [{"id": "1"}], "repeats the cursor 2"),
    "a cursor that alternates": (
        "promotions", cycle([2, 3]).__next__, [{"id": "1"}], "repeats the cursor 2",
    ),
    "new cursors, same rows": (
        "promotions", count(2).__next__, [{"id": "1"}], "brought no new record",
    ),
    "new cursors, no rows": ("promotions", count(2).__next__, [], "empty page"),
    "new cursors, same rows without id": (
        "promotions", count(2).__next__, [{"name": "x"}], "brought no new record",
    ),
    "new cursors, null rows": (
        "promotions", count(2).__next__, [None], "brought no new record",
    ),
    "the same last id": ("events", "/x", [{"id": "1"}], "repeats the cursor '1'"),
    "a last record without id": ("events", "/x", [{"id": "1"}, {}], "has no id"),
    "a last record that is null": ("events", "/x", [None], "has no id"),
    "an empty page that goes on": ("events", "/x", [], "empty page"),
}  # fmt: skip


@pytest.fixture(scope="module")
def endless(shared: World) -> dict[str, tuple[str, int]]:
    """One sync for each API over all the lists without end; error, listing and requests."""
    result: dict[str, tuple[str, int]] = {}
    for source, shape in SHAPES.items():
        cases = {name: case for name, case in ENDLESS.items() if case[0] == source}
        for name, (_, cursor, rows, _) in cases.items():
            path = shape.path.format(name)
            fresh(shared.api, path)
            shared.api.fail(path, edit=strange_page(source, cursor, rows))
        found = shared.sync(source, shape.resource, parents={shape.parent: list(cases)})
        for name in cases:
            listing = found[f"{shape.resource} of {name}"]
            asked = len(shared.api.asked(shape.path.format(name)))
            result[name] = (listing.error or "").partition(": ")[2], asked
    shared.api.heal()
    return result


@pytest.mark.parametrize("name", ENDLESS)
def test_a_list_without_end_is_left_with_an_error(
    endless: dict[str, tuple[str, int]], name: str
) -> None:
    error, asked = endless[name]
    assert re.search(ENDLESS[name][3], error), error
    assert asked <= 5


def test_a_server_that_is_not_there_is_named(world: World) -> None:
    world.configure("affiliates", base_url="http://127.0.0.1:9/aff")
    found = world.sync("affiliates", "coupons")
    assert re.match(
        r"coupons, page 1 of http://127.0.0.1:9/aff/v1/coupons: ConnectionError",
        found["coupons"].error or "",
    )


def test_a_slow_body_is_waited_for(world: World) -> None:
    fresh(world.api, "/promotions")
    world.configure("promotions", timeout=1.0)
    world.api.fail("/promotions", page=2, drip=0.01)
    assert len(world.read("promotions", "promotions")) == 5


def test_a_body_that_never_ends_is_cut(world: World) -> None:
    fresh(world.api, "/promotions")
    world.configure("promotions", max_wait=0.5, max_retries=1)
    world.api.fail("/promotions", page=2, drip=0.1)
    found = world.sync("promotions", "promotions")["promotions"]
    assert re.match("promotions, page 2 .* (Chunked|Connection)", found.error or "")


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize(
    ("source", "resource"),
    [("promotions", "promotions"), ("affiliates", "coupons"), ("events", "orders")],
)
def test_a_wrong_credential_is_said_and_not_tried_again(
    world: World, source: str, resource: str, code: int
) -> None:
    path = {"promotions": "/promotions", "coupons": "/v1/coupons", "orders": "/orders"}[resource]
    world.api.fail(path, status=code)
    with pytest.raises(Exception, match=f"{resource}, page 1 .* {code} .*credential is"):
        world.read(source, resource)
    assert len(world.api.seen) == 1


def insert_in_front(rows: list[Any], row: dict[str, Any]) -> Any:
    """What happens between two pages: a new record appears at the top of the list."""
    return lambda: rows.insert(0, row)


def test_pages_that_shift_while_they_are_read_give_each_row_once(world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": n} for n in range(8)]
    world.api.lists["/orders"] = [{"id": f"o{n}"} for n in range(8)]
    world.api.lists["/users/1"] = [{"id": str(n)} for n in range(8)]
    for path, new in {"/v1/coupons": 99, "/orders": "o99", "/users/1": "99"}.items():
        rows = world.api.lists[path]
        world.api.fail(path, page=1, times=1, after=insert_in_front(rows, {"id": new}))
    coupons = world.sync("affiliates", "coupons")["coupons"]
    orders = world.sync("events", "orders")["orders"]
    users = world.sync("promotions", "users", parents={"promotions": ["1"]})["users of 1"]
    assert [x.duplicates for x in (coupons, orders, users)] == [1, 0, 1]
    assert world.ids("affiliates.coupons") == list(range(8))
    assert world.ids("events.orders") == [f"o{n}" for n in range(8)]
    assert world.ids("promotions.users") == [str(n) for n in range(8)]


def test_a_parents_list_that_fails_stops_nothing_else(world: World) -> None:
    world.api.fail("/promotions", status=500)
    fresh(world.api, "/organizing_brands")
    found = world.sync("promotions", "promotions", "organizing_brands", "users", "stages")
    assert found["organizing_brands"].error is None
    assert world.ids("promotions.organizing_brands") == ["0", "1", "2", "3", "4"]
    assert re.match("promotions, page 1 .* 500", found["promotions"].error or "")
    assert "promotions" in (found["users"].error or "")
    assert "promotions" in (found["stages"].error or "")


def test_a_page_of_a_childs_list_is_counted_in_its_own_list(world: World) -> None:
    world.api.lists["/vouchers"] = [{"id": f"v{n}"} for n in range(3)]
    for n in range(3):
        world.api.lists[f"/vouchers/v{n}/codes"] = [{"id": str(i)} for i in range(5)]
    world.configure("events", max_concurrency=1)
    world.api.fail("/vouchers/v2/codes", page=2, status=403)
    found = world.sync("events", "vouchers", "vouchers_codes")
    errors = {name: listing.error for name, listing in found.items() if listing.error}
    assert list(errors) == ["vouchers_codes of v2"]
    assert errors["vouchers_codes of v2"].startswith("vouchers_codes of v2, page 2 of ")


@pytest.mark.parametrize("count", [8_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_a_long_list_arrives_whole(world: World, count: int) -> None:
    world.api.page_size = 1_000
    rows = [{"id": f"o{n:06}", "txn_id": f"{n:0600}"} for n in range(count)]
    world.api.lists["/orders"] = rows
    world.configure("events", page_size=1_000)
    found = world.sync("events", "orders")["orders"]
    pages = count // 1_000
    assert (found.rows, found.pages, found.requests, found.error) == (count, pages, pages, None)
    sql = "SELECT count(DISTINCT id) n, sum(CAST(txn_id AS HUGEINT)) s FROM events.orders"
    assert world.query(sql) == [{"n": count, "s": sum(range(count))}]
