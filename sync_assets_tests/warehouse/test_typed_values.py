"""Odd values in a typed view, and parents that are known by other fields than `id`.

The check counts what is null in the view though a value is there; see `lib/checks/catalog.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_assets.sources.rest import REPLACE, below, integer, json, money, text, timestamp
from sync_assets.warehouse.queries import table_stats
from sync_assets_tests.support.fourth_api import NAME, declare, install
from sync_assets_tests.support.postgres import either_warehouse
from sync_assets_tests.support.world import World

SHOPS = {
    "name": "shops",
    "primary_key": "code",
    "endpoint": {"path": "/shops"},
    "columns": {
        "code": text("The shop.", required=True),
        "id": text("A number that nothing refers to."),
        "name": text("Its name."),
        "shares": integer("How many of the smallest unit make one."),
        "head": text("The shop that it belongs to.", refers="shops", shows="name"),
    },
}
SALES = {
    "name": "sales",
    "primary_key": ["shop", "id"],
    "write_disposition": REPLACE,
    "endpoint": {"path": "/shops/{shop}/sales", "params": below("shops", "shop", "code")},
    "columns": {
        "shop": text("The shop.", required=True, refers="shops", shows="name shares"),
        "id": text("The sale.", required=True),
        "happened": timestamp("When.", sent="iso"),
        "ended": timestamp("When it was over.", sent="object"),
        "price": money("What it cost.", multiplier="shop_shares"),
        "seller": json("Who sold.", age=integer("In years."), name=text("A name.")),
    },
}


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty warehouse."""
    with either_warehouse(request.param, tmp_path) as made:
        yield made


def load(world: World, *sales: dict[str, Any], shares: int = 100) -> None:
    """Sync two shops, of which one has sales; its `id` is the other one's `code`."""
    install(world, API)
    world.api.lists["/shops"] = [
        {"code": "b", "id": "a", "name": "Berta", "shares": 1, "head": None},
        {"code": "a", "id": "b", "name": "Anton", "shares": shares, "head": "b"},
    ]
    world.api.lists["/shops/a/sales"] = list(sales)
    world.api.lists["/shops/b/sales"] = []
    found = world.sync(NAME, "shops", "sales")
    assert {one.error for one in found.values()} == {None}


API = declare(SHOPS, SALES)
GOOD = {
    "id": "1",
    "happened": "2026-11-28T10:00:00+02:00",
    "ended": {"unix": 1_795_262_400, "date": "2026-11-20", "timezone": "UTC"},
    "price": 150,
    "seller": {"age": 40, "name": "Eve"},
}
ODD = {
    "id": "2",
    "happened": "soon",
    "ended": {"unix": "later", "date": "2026-02-30"},
    "price": 150,
    "seller": {"age": "old", "name": 7},
}


def test_a_parent_is_joined_by_the_field_that_it_is_known_by(world: World) -> None:
    load(world, GOOD)
    (sale,) = world.query("SELECT shop_name, price FROM surveys_typed.sales")
    assert (sale["shop_name"], float(sale["price"])) == ("Anton", 1.5)
    shops = world.query("SELECT name, head_name FROM surveys_typed.shops ORDER BY name")
    assert [row["head_name"] for row in shops] == ["Berta", None]


def test_what_the_view_cannot_convert_is_counted_by_column(world: World) -> None:
    load(world, GOOD)
    assert table_stats(API, ["sales", "shops"])[0]["sales"].uncast == {}
    load(world, GOOD, ODD, {**ODD, "id": "3", "happened": None})
    uncast = table_stats(API, ["sales", "shops"])[0]["sales"].uncast
    assert uncast == {"happened": 1, "ended": 2, "ended__date": 2, "seller__age": 2}


def test_an_amount_in_parts_that_nobody_knows_is_counted(world: World) -> None:
    load(world, GOOD, shares=7)
    assert table_stats(API, ["sales"])[0]["sales"].uncast == {"price": 1}


def test_a_warehouse_that_was_never_loaded_has_nothing_to_count(world: World) -> None:
    install(world, API)
    assert table_stats(API, ["sales"])[0]["sales"].uncast == {}
