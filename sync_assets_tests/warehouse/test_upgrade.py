"""A warehouse of an earlier version goes on: columns are added and converted, no value is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sync_assets.sources.promotions import API
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.queries import state
from sync_assets_tests.fixtures.warehouses import FOLDER, PARENTS, RESOURCES, offer, restore
from sync_assets_tests.support.postgres import PostgresWorld, either_warehouse
from sync_assets_tests.support.world import World

VERSIONS = sorted({path.name.rsplit(".", 2)[0] for path in FOLDER.glob("*.sql")})
CHILDREN = ("users", "rankings")
USERS = "SELECT * FROM promotions.users WHERE promotion_id = '{}' ORDER BY id"
RANKINGS = "SELECT * FROM promotions.rankings WHERE promotion_id = '{}' ORDER BY id"

Declare = Callable[..., None]


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An account with an empty warehouse of either kind."""
    with either_warehouse(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, warehouse: World) -> World:
    """An account, and what a version made of it."""
    kind = "postgres" if isinstance(warehouse, PostgresWorld) else "duckdb"
    restore(warehouse, request.param, kind)
    offer(warehouse)
    return warehouse


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Declares columns of a resource by their types; None takes a declaration away."""

    def declare(resource: str, *, required: bool = False, **types: str | None) -> None:
        columns: Any = API.endpoints[resource].columns
        for name, kind in types.items():
            if kind is None:
                monkeypatch.delitem(columns, name)
            else:
                column = {"name": name, "data_type": kind, "nullable": not required}
                monkeypatch.setitem(columns, name, column)

    return declare


def query(world: World, sql: str) -> list[dict[str, Any]]:
    """Ask as every program of ours does."""
    database = None if isinstance(world, PostgresWorld) else world.folder / "warehouse.duckdb"
    with single_writer(database, silent):
        return world.query(sql)


@contextmanager
def readable(world: World, sql: str, rows: int) -> Iterator[None]:
    """As long as the block lasts a reader sees so many rows, whenever it looks."""
    seen: list[Any] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.wait(0.01):
            try:
                seen.append(len(query(world, sql)))
            except Exception as error:  # noqa: BLE001 - the test fails with it
                seen.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert set(seen) == {rows}


def errors(world: World, *resources: str, parents: list[str]) -> set[str | None]:
    listings = world.sync("promotions", *resources, parents={"promotions": parents})
    return {listing.error for listing in listings.values()}


@pytest.mark.long
def test_the_warehouse_of_a_version_is_synced_as_it_is(old: World) -> None:
    before = {name: old.rows(f"promotions.{name}") for name in RESOURCES}
    assert before["users"]
    assert errors(old, *RESOURCES, parents=PARENTS) == {None}
    assert {name: old.rows(f"promotions.{name}") for name in RESOURCES} == before


def test_what_a_sync_takes_is_recorded_from_the_first_sync_on(old: World) -> None:
    assert {history.requests for history in state(API).histories.values()} == {None}
    assert errors(old, "users", parents=["2"]) == {None}
    known = {key: history.requests for key, history in state(API).histories.items()}
    assert (known[ListKey("users", "2")], known[ListKey("users", "1")]) == (1, None)


def test_both_clocks_of_lists_that_are_not_synced_again_are_told(old: World) -> None:
    clocks = "SELECT list, synced_at, fresh_at, proven_at FROM promotions._syncs"
    assert errors(old, "users", parents=["2"]) == {None}
    found = {row.pop("list"): set(row.values()) for row in query(old, clocks)}
    assert {"users/1", "users/2"} <= set(found)
    assert {len(times) for times in found.values()} == {1}
    ended = state(API).histories[ListKey("users", "1")]
    assert ended.fresh_at == ended.synced_at is not None


def test_new_declarations_convert_what_a_version_left(old: World, declare: Declare) -> None:
    declare("users", visits="bigint", ratio="double", consent="bool", tags="json")
    declare("rankings", position="text", points="bigint")
    ended, held = query(old, USERS.format(1)), query(old, RANKINGS.format(1))
    with readable(old, "SELECT * FROM promotions.users", 6):
        assert errors(old, *CHILDREN, parents=["2"]) == {None}
    types = old.columns("promotions.users")
    assert [types[name] for name in ("visits", "consent", "tags")] == ["BIGINT", "BOOLEAN", "JSON"]
    assert types["ratio"].startswith("DOUBLE")
    assert old.columns("promotions.rankings")["position"] == "VARCHAR"
    assert [
        {
            **row,
            "visits": str(row["visits"]),
            "ratio": str(row["ratio"]),
            "consent": str(row["consent"]).lower(),
        }
        for row in query(old, USERS.format(1))
    ] == ended
    assert [
        {**row, "position": int(row["position"]), "points": str(row["points"])}
        for row in query(old, RANKINGS.format(1))
    ] == held
    assert [row["visits"] for row in query(old, USERS.format(2))] == [200, 201, 202]


@pytest.mark.long
def test_a_renamed_column_leaves_the_old_one_where_nothing_is_synced(
    old: World, declare: Declare
) -> None:
    declare("users", nickname=None, alias="text")
    for user in old.api.lists["/users/2"]:
        user["alias"] = str(user.pop("nickname"))
    assert errors(old, "users", parents=["2"]) == {None}
    ended, live = query(old, USERS.format(1)), query(old, USERS.format(2))
    assert [row["nickname"] for row in ended] == [None, "nick 1 of 1", "nick 2 of 1"]
    assert [row["alias"] for row in ended] == [None] * 3
    assert [row["nickname"] for row in live] == [None] * 3
    assert [row["alias"] for row in live] == ["5.5", "nick 1 of 2", "nick 2 of 2"]


@pytest.mark.long
def test_a_new_required_column_and_one_that_is_no_more(old: World, declare: Declare) -> None:
    declare("rankings", rank="bigint", required=True)
    for row in old.api.lists["/ranking/2"]:
        row["rank"] = 7
    assert errors(old, "rankings", parents=["2"]) == {None}
    assert {row["rank"] for row in query(old, RANKINGS.format(1))} == {None}
    assert {row["rank"] for row in query(old, RANKINGS.format(2))} == {7}
    declare("rankings", rank=None, points=None, position=None)
    for row in old.api.lists["/ranking/2"]:
        del row["rank"]
        row["position"] = f"no {row['position']}"
    assert errors(old, "rankings", parents=["2"]) == {None}
    assert [row["position"] for row in query(old, RANKINGS.format(1))] == ["0", "1", "2"]
    assert [row["position"] for row in query(old, RANKINGS.format(2))] == ["no 0", "no 1", "no 2"]


def test_a_required_column_may_be_null_once_it_is_not_required(
    warehouse: World, declare: Declare
) -> None:
    declare("users", code="text", required=True)
    warehouse.api.lists.update({"/users/1": [{"id": "a", "code": "x"}], "/users/2": [{"id": "a"}]})
    assert errors(warehouse, "users", parents=["1"]) == {None}
    declare("users", code="text")
    assert errors(warehouse, "users", parents=["2"]) == {None}
    found = query(warehouse, "SELECT code FROM promotions.users ORDER BY promotion_id")
    assert [row["code"] for row in found] == ["x", None]


LOSSES = [
    ("bigint", ["1", "01", "1.0", "-0", "+1", " 2", "9223372036854775808", "x", "1_0", "1" * 5000],
     9),
    ("double", ["1", "1.5", "1e5", "-0.5", "01", "NaN", "9007199254740993", "true", "x", "1e999",
                "1" * 5000, "12345678901234567.89", "1e-400", "1.50"], 9),
    ("bool", ["true", "false", "True", "t", "1", ""], 4),
    ("json", ['{"a":[1]}', "1", '"x"', "null", r'"\ud83d\ude00"', r'"\\u0000"', "x", "{", "NaN",
              '{"a":1,"a":2}', r'"\u0000"', r'"\ud800"'], 6),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("kind", "texts", "bad"), LOSSES)
def test_a_conversion_that_would_lose_a_value_is_refused_and_changes_nothing(
    warehouse: World, declare: Declare, kind: str, texts: list[str], bad: int
) -> None:
    lists = warehouse.api.lists
    lists["/users/1"] = [{"id": str(n), "field": text} for n, text in enumerate(texts)]
    lists["/users/2"] = []
    assert errors(warehouse, "users", parents=["1"]) == {None}
    before = query(warehouse, "SELECT id, field FROM promotions.users ORDER BY id")
    declare("users", field=kind)
    with pytest.raises(WarehouseError) as caught:
        errors(warehouse, "users", parents=["2"])
    message = str(caught.value)
    assert f'"promotions"."users"."field" holds text and is declared {kind} now' in message
    assert f"what {bad} of its rows hold cannot be converted: '" in message
    assert "Nothing was changed. Declare it as text, or set these values to NULL" in message
    assert query(warehouse, "SELECT id, field FROM promotions.users ORDER BY id") == before


@pytest.mark.long
def test_whole_doubles_become_integers_and_others_do_not(
    warehouse: World, declare: Declare
) -> None:
    declare("users", field="double")
    values = [1.0, -3.0, 2.0**40]
    warehouse.api.lists["/users/1"] = [{"id": str(n), "field": v} for n, v in enumerate(values)]
    assert errors(warehouse, "users", parents=["1"]) == {None}
    declare("users", field="bigint")
    assert errors(warehouse, "users", parents=["1"]) == {None}
    found = query(warehouse, "SELECT field FROM promotions.users ORDER BY id")
    assert [row["field"] for row in found] == [1, -3, 2**40]
    declare("users", field="double")
    assert errors(warehouse, "users", parents=["1"]) == {None}
    warehouse.api.lists["/users/1"][0]["field"] = 1.5
    assert errors(warehouse, "users", parents=["1"]) == {None}
    declare("users", field="bigint")
    with pytest.raises(WarehouseError, match=r"what 1 of its rows hold cannot be converted: '1.5'"):
        errors(warehouse, "users", parents=["1"])
