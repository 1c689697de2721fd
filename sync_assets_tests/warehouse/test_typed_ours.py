"""Whose the typed views are, and what stands in their way: a load goes on, and it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from sync_assets.sources.promotions import API
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.typed.views import TypedViews
from sync_assets_tests.support.postgres import SERVER, PostgresWorld, either_warehouse, own_database
from sync_assets_tests.support.world import World, new_world

VIEW = "promotions_typed.users"


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An account with two promotions, of which one has users, and an empty warehouse."""
    with either_warehouse(request.param, tmp_path) as made:
        made.api.lists = {
            "/promotions": [{"id": "1", "title": "One"}, {"id": "2", "title": "Two"}],
            "/users/1": [user("a", "2026-11-28T10:00:00+02:00"), user("b", None)],
        }
        yield made


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresWorld]:
    """The same on Postgres alone."""
    with new_world(tmp_path) as made, own_database() as database:
        made.api.lists = {"/users/1": [user("a", "2026-11-28"), user("b", None)]}
        yield PostgresWorld.over(made, database)


def user(identity: str, created: str | None, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "created": created, "nickname": "7", **fields}


def synced(world: World, *resources: str) -> list[str]:
    """Sync, without an error; gives what was said of the views."""
    said: list[str] = []
    found = world.sync(
        "promotions", *(resources or ("users",)), parents={"promotions": ["1"]}, say=said.append
    )
    assert {listing.error for listing in found.values()} == {None}
    return [line for line in said if line.startswith("typed views")]


def declare(monkeypatch: pytest.MonkeyPatch, **kinds: str) -> None:
    """Declare columns of users as of another type, stored and shown."""
    columns: Any = API.endpoints["users"].columns
    for name, kind in kinds.items():
        column = {"name": name, "data_type": kind, "nullable": True, "description": "New."}
        monkeypatch.setitem(columns, name, column)


def test_a_parent_that_is_not_there_yet_is_joined_once_it_is(warehouse: World) -> None:
    assert synced(warehouse) == []
    titles = f"SELECT id, promotion_title FROM {VIEW} ORDER BY id"
    assert [row["promotion_title"] for row in warehouse.query(titles)] == [None, None]
    assert synced(warehouse, "promotions") == []
    assert [row["promotion_title"] for row in warehouse.query(titles)] == ["One", "One"]


def test_views_are_written_once(warehouse: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    build: Callable[..., None] = TypedViews._build

    def counted(self: TypedViews, view: str, *rest: Any) -> None:
        made.append(view)
        build(self, view, *rest)

    monkeypatch.setattr(TypedViews, "_build", counted)
    for _ in range(3):
        synced(warehouse, "promotions", "users")
    assert sorted(made) == ["promotions", "users"]


def test_sqlglot_has_nothing_to_do_where_no_view_changes(
    warehouse: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synced(warehouse) == []
    monkeypatch.delattr("sqlglot.transpile")
    assert synced(warehouse) == []
    declare(monkeypatch, nickname="text")
    if not isinstance(warehouse, PostgresWorld):
        with pytest.raises(WarehouseError, match="transpile"):
            synced(warehouse)


def test_a_view_of_somebody_elses_stays(warehouse: World) -> None:
    synced(warehouse, "promotions", "users")
    warehouse.query(f"CREATE OR REPLACE VIEW {VIEW} AS {mine(warehouse)}")
    for _ in range(2):
        (said,) = synced(warehouse)
        assert "promotions_typed.users is not as a sync made it" in said
    assert {row["created"] for row in warehouse.query(f"SELECT * FROM {VIEW}")} == {None}
    warehouse.query(f"DROP VIEW {VIEW}")
    assert synced(warehouse) == []
    assert len(warehouse.query(f"SELECT * FROM {VIEW} WHERE created IS NOT NULL")) == 1


def mine(world: World) -> str:
    """A query with the columns of the view, which Postgres wants of who replaces one."""
    kinds = world.columns(VIEW)
    types = {"JSON": "JSONB"} if isinstance(world, PostgresWorld) else {}
    nulls = [f"CAST(NULL AS {types.get(kind, kind)}) AS {name}" for name, kind in kinds.items()]
    return f"SELECT {', '.join(nulls)}"


def test_a_dataset_of_somebody_elses_stays(warehouse: World) -> None:
    warehouse.query("CREATE SCHEMA promotions_typed")
    warehouse.query("CREATE TABLE promotions_typed.mine (id INT)")
    (said,) = synced(warehouse)
    assert "promotions_typed holds nothing that a sync made" in said
    rows = warehouse.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'promotions_typed'"
    )
    assert [row["table_name"] for row in rows] == ["mine"]
    warehouse.query("DROP TABLE promotions_typed.mine")
    assert synced(warehouse) == []
    assert len(warehouse.query(f"SELECT * FROM {VIEW}")) == 2


def test_a_conversion_makes_its_view_again(
    warehouse: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(warehouse)
    declare(monkeypatch, nickname="bigint")
    assert synced(warehouse) == []
    assert {row["nickname"] for row in warehouse.query(f"SELECT nickname FROM {VIEW}")} == {7}
    assert len(warehouse.query(f"SELECT * FROM {VIEW} WHERE created IS NOT NULL")) == 1


@pytest.mark.long
def test_a_conversion_below_views_that_others_built_on(
    postgres: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(postgres)
    postgres.query(f"CREATE VIEW public.mine AS SELECT nickname, created FROM {VIEW}")
    postgres.query(f"GRANT SELECT ON {VIEW} TO pg_monitor")
    mine_before = postgres.query("SELECT * FROM public.mine ORDER BY created")
    declare(monkeypatch, nickname="bigint", level="bigint")
    said = synced(postgres)[-1]
    assert "others read promotions_typed.users" in said
    assert "keep their types: nickname." in said
    assert postgres.columns("promotions.users")["nickname"] == "BIGINT"
    assert postgres.query("SELECT * FROM public.mine ORDER BY created") == mine_before
    assert postgres.columns(VIEW)["level"] == "BIGINT"
    assert can_read(postgres)
    postgres.query("DROP VIEW public.mine")
    synced(postgres)
    assert postgres.columns(VIEW)["nickname"] == "BIGINT"
    assert can_read(postgres)


def can_read(world: World) -> bool:
    sql = "SELECT has_table_privilege('pg_monitor', 'promotions_typed.users', 'SELECT') AS it"
    return bool(world.query(sql)[0]["it"])


@pytest.mark.long
def test_who_reads_a_view_does_not_stop_a_load(
    postgres: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(postgres)
    declare(monkeypatch, created="text")  # a timestamp no more, in the view alone
    postgres.api.lists["/users/1"].append(user("c", None))
    with closing(psycopg2.connect(f"{SERVER}/{postgres.database}")) as reader:
        reader.cursor().execute(f"EXPLAIN SELECT id FROM {VIEW}")
        (said,) = synced(postgres)
    assert "could not be brought up to date" in said
    assert postgres.columns(VIEW)["created"] == "TIMESTAMP WITHOUT TIME ZONE"
    assert len(postgres.ids(VIEW)) == 3
    assert synced(postgres) == []
    assert postgres.columns(VIEW)["created"] == "VARCHAR"
