"""Odd values in a typed view, and parents that are known by other fields than `id`.

The check counts what is null in the view though a value is there; see `lib/checks/catalog.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
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
        "fee": money("What we got.", multiplier="seller__cents"),
        "seller": json(
            "Who sold.",
            cents=integer("Parts of one."),
            age=integer("In years."),
            name=text("A name."),
        ),
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
    "fee": 12,
    "seller": {"age": 40, "name": "Eve"},
}
ODD = {
    "id": "2",
    "happened": "soon",
    "ended": {"unix": "later", "date": "2026-02-30"},
    "price": 150,
    "seller": {"age": "old", "name": 7},
}


#: Texts that stand for an instant, and the instant in UTC.
INSTANTS = {
    "2026-11-28": "2026-11-28 00:00:00",
    "2026-11-28T10:00": "2026-11-28 10:00:00",
    "2026-11-28 10:00:01": "2026-11-28 10:00:01",
    "2026-11-28T10:00Z": "2026-11-28 10:00:00",
    "2026-11-28T10:00:01.125Z": "2026-11-28 10:00:01.125000",
    "2026-11-28T10:00:01.123456+02:00": "2026-11-28 08:00:01.123456",
    "2026-11-28T10:00+0530": "2026-11-28 04:30:00",
    "2026-11-28 10:00-14:59": "2026-11-29 00:59:00",
    "2024-02-29T23:59:59+00:00": "2024-02-29 23:59:59",
    "2000-02-29": "2000-02-29 00:00:00",
    "1000-01-01T00:00:00Z": "1000-01-01 00:00:00",
    "9999-12-31T23:59:59.999999Z": "9999-12-31 23:59:59.999999",
}
NO_INSTANTS = [
    "2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-01-00", "0999-01-01",
    "2026-11-28T24:00", "2026-11-28T10", "2026-11-28T10:60", "2026-11-28T10:00:60", "20261128",
    "2026-11-28T10:00:00+15:00", "2026-11-28T10:00:00.1234567", "2026-11-28T10:00 UTC", "now", "",
]  # fmt: skip


def test_an_instant_is_the_same_one_in_utc(world: World) -> None:
    texts = [*INSTANTS, *NO_INSTANTS]
    load(world, *({**GOOD, "id": str(n), "happened": text} for n, text in enumerate(texts)))
    rows = world.query("SELECT id, CAST(happened AS VARCHAR) AS at FROM surveys_typed.sales")
    found = {texts[int(row["id"])]: row["at"] and datetime.fromisoformat(row["at"]) for row in rows}
    wanted = {text: datetime.fromisoformat(at) for text, at in INSTANTS.items()}
    assert found == wanted | dict.fromkeys(NO_INSTANTS)


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


def test_an_amount_whose_multiplier_is_no_number_is_not_taken_for_hundredths(world: World) -> None:
    sellers = [{"cents": sent} for sent in (1000, "10", None, "dozen")]
    load(world, *({**GOOD, "id": str(n), "seller": one} for n, one in enumerate(sellers)))
    rows = world.query("SELECT fee FROM surveys_typed.sales ORDER BY id")
    assert [row["fee"] and float(row["fee"]) for row in rows] == [0.012, 1.2, 0.12, None]
    uncast = table_stats(API, ["sales"])[0]["sales"].uncast
    assert uncast == {"fee": 1, "seller__cents": 1}


def test_a_warehouse_that_was_never_loaded_has_nothing_to_count(world: World) -> None:
    install(world, API)
    assert table_stats(API, ["sales"])[0]["sales"].uncast == {}
