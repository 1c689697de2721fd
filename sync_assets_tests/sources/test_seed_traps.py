"""The traps in the three seed documents' configurations, none of which this project falls into."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from dlt.sources.rest_api import rest_api_source

from sync_assets.sources.events import events
from sync_assets.sources.promotions import promotions
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.world import APIS, World


def users(count: int) -> list[dict[str, Any]]:
    """So many users; each promotion has users of these same ids."""
    return [{"id": str(n), "nickname": f"n{n}"} for n in range(count)]


def five_promotions(world: World, count: int) -> None:
    """Five promotions with so many users each."""
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(5)]
    world.api.lists.update({f"/users/{n}": users(count) for n in range(5)})


@pytest.mark.parametrize("source", APIS)
def test_a_config_is_genuine_configuration_of_dlts_rest_api(source: str) -> None:
    made = rest_api_source(APIS[source].config("https://api.example.com/v1", "secret"), name=source)
    assert set(made.resources) == set(APIS[source].endpoints)


def test_the_same_id_below_several_promotions_stays_several_rows(world: World) -> None:
    five_promotions(world, 25)
    world.run(promotions().with_resources("users"))
    found = world.query("SELECT promotion_id, count(*) n FROM promotions.users GROUP BY 1")
    assert {row["promotion_id"]: row["n"] for row in found} == {str(n): 25 for n in range(5)}


def test_a_promotion_has_more_than_one_page(world: World) -> None:
    five_promotions(world, 8)
    assert len(world.read("promotions", "users")) == 40
    assert Counter(seen.path for seen in world.api.seen)["/users/4"] == 3


@pytest.mark.parametrize(("count", "requests"), [(230, 3), (200, 2), (100, 1), (0, 1)])
def test_events_go_on_beyond_page_1_without_an_extra_request(
    world: World, count: int, requests: int
) -> None:
    world.api.page_size = 100
    world.api.lists["/issued_tickets"] = users(count)
    assert len(world.read("events", "issued_tickets")) == count
    assert len(world.api.seen) == requests


def test_a_next_link_is_never_sent_as_a_cursor(world: World) -> None:
    world.api.lists["/v1/referrals"] = [{"id": n, "created_at": n} for n in range(8)]
    assert len(world.read("affiliates", "referrals")) == 8
    asked = [seen.raw_query for seen in world.api.seen]
    assert asked == ["limit=100", "page=2&limit=100", "page=3&limit=100"]


def test_a_server_that_ignores_the_cursor_is_not_asked_for_ever(world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": n} for n in range(8)]
    world.api.next_link = lambda url, page: "2"
    with pytest.raises(Exception, match="repeats the cursor '2'"):
        world.read("affiliates", "coupons")
    assert len(world.api.seen) == 2


def test_a_live_link_that_loses_the_base_path_is_not_followed(world: World) -> None:
    world.api.lists["/orders"] = users(8)
    assert len(world.read("events", "orders")) == 8
    assert {seen.path for seen in world.api.seen} == {"/orders"}


@pytest.mark.parametrize(
    "body", [{"error": "x"}, {"items": None}, {"items": {}}, {"items": "x"}, "text", [], None, 1]
)
@pytest.mark.parametrize("page", [1, 2])
def test_a_wrong_body_is_neither_an_end_nor_an_empty_list(
    world: World, body: Any, page: int
) -> None:
    world.api.lists["/promotions"] = users(5)
    world.api.fail("/promotions", page=page, body=json.dumps(body).encode())
    with pytest.raises(Exception, match=rf"promotions, page {page} of http"):
        world.read("promotions", "promotions")


def test_a_wrong_body_is_asked_for_again(world: World) -> None:
    world.api.lists["/promotions"] = users(5)
    world.api.fail("/promotions", page=2, times=1, body=b'{"error": "x"}')
    assert len(world.read("promotions", "promotions")) == 5


def test_a_next_link_to_another_host_gets_no_credential(world: World, elsewhere: FakeApi) -> None:
    world.api.lists["/v1/coupons"] = elsewhere.lists["/v1/coupons"] = [{"id": n} for n in range(8)]
    world.api.next_link = lambda url, page: f"{elsewhere.base_url('affiliates')}/v1/coupons?page=2"
    with pytest.raises(Exception, match="another origin"):
        world.read("affiliates", "coupons")
    assert elsewhere.seen == []


def test_lists_read_side_by_side_do_not_share_a_cursor(world: World) -> None:
    names = ["orders", "products", "check_ins", "discounts", "issued_tickets", "vouchers"]
    world.api.page_size = 10
    for name in names:
        world.api.lists[f"/{name}"] = [{"id": f"{name}{n}"} for n in range(95)]
    found = Counter(
        row["id"].rstrip("0123456789")
        for table in events().with_resources(*names)
        for row in table.to_pylist()
    )
    assert found == dict.fromkeys(names, 95)


def test_an_instance_in_the_config_keeps_no_state(world: World) -> None:
    world.api.lists["/orders"] = users(8)
    assert len(world.read("events", "orders")) == 8
    assert len(world.read("events", "orders")) == 8


def test_secrets_have_their_source_in_their_name(world: World) -> None:
    world.monkeypatch.delenv("SOURCES__PROMOTIONS__BEARER_TOKEN")
    world.monkeypatch.setenv("BEARER_TOKEN", "canary-bearer")
    with pytest.raises(Exception, match="SOURCES__PROMOTIONS__BEARER_TOKEN is not set"):
        promotions()


@pytest.mark.long
def test_rows_that_vanished_upstream_vanish_here_with_dlt_alone(world: World) -> None:
    five_promotions(world, 4)
    world.run(promotions().with_resources("users", "promotions"))
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(4)]
    world.api.lists["/users/3"] = users(1)
    world.run(promotions().with_resources("users", "promotions"))
    assert world.ids("promotions.promotions") == ["0", "1", "2", "3"]
    found = world.query("SELECT promotion_id FROM promotions.users WHERE promotion_id >= '3'")
    assert Counter(row["promotion_id"] for row in found) == {"3": 1, "4": 4}


def test_a_flat_table_is_nested_nowhere(world: World) -> None:
    world.api.lists["/orders"] = [{"id": "o", "line_items": [{"id": "l"}], "meta_data": []}]
    world.run(events().with_resources("orders"))
    tables = world.query("SELECT table_name FROM information_schema.tables")
    assert not [row for row in tables if row["table_name"].startswith("orders__")]


def test_a_run_that_failed_leaves_nothing_pending(world: World) -> None:
    world.api.lists["/orders"] = users(2)
    world.api.fail("/orders", status=500, times=2)
    with pytest.raises(Exception, match="orders, page 1"):
        world.run(events().with_resources("orders"))
    world.run(events().with_resources("orders"))
    assert world.ids("events.orders") == ["0", "1"]
