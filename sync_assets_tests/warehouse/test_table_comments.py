"""Comments on the columns of tables: written once, changed with the declaration, ours alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.sources.promotions import API
from sync_assets.warehouse.typed import table_comments
from sync_assets_tests.support.postgres import PostgresWorld, either_warehouse
from sync_assets_tests.support.world import World

OF_POSTGRES = """
SELECT attname AS name, col_description(attrelid, attnum) AS comment FROM pg_attribute
WHERE attrelid = to_regclass('promotions.users') AND attnum > 0
"""
OF_DUCKDB = """
SELECT column_name AS name, comment FROM duckdb_columns()
WHERE schema_name = 'promotions' AND table_name = 'users'
"""


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Users of one promotion that were synced."""
    with either_warehouse(request.param, tmp_path) as made:
        made.api.lists = {"/users/1": [{"id": "a"}]}
        synced(made)
        yield made


def synced(world: World) -> list[str]:
    """Sync without an error; gives what was said."""
    said: list[str] = []
    found = world.sync("promotions", "users", parents={"promotions": ["1"]}, say=said.append)
    assert {listing.error for listing in found.values()} == {None}
    return said


def comments(world: World) -> dict[str, str | None]:
    query = OF_POSTGRES if isinstance(world, PostgresWorld) else OF_DUCKDB
    return {row["name"]: row["comment"] for row in world.query(query)}


def test_each_declared_column_has_its_description(warehouse: World) -> None:
    found = comments(warehouse)
    for column in API.endpoints["users"].columns.values():
        assert str(found[str(column["name"])]).startswith(str(column["description"]))
    assert str(found["email"]).endswith(" Personal data. (sync_assets)")


def test_a_comment_of_somebody_elses_stays(
    warehouse: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.query("COMMENT ON COLUMN promotions.users.email IS 'Mine.'")
    for name in ("email", "country"):
        column: Any = {**API.endpoints["users"].columns[name], "description": "It's new."}
        monkeypatch.setitem(API.endpoints["users"].columns, name, column)
    synced(warehouse)
    found = comments(warehouse)
    assert found["email"] == "Mine."
    assert str(found["country"]).startswith("It's new.")


def test_a_warehouse_that_refuses_comments_is_loaded_all_the_same(
    warehouse: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_comments, "literal", lambda text: "nothing of SQL")
    column: Any = {**API.endpoints["users"].columns["email"], "description": "New."}
    monkeypatch.setitem(API.endpoints["users"].columns, "email", column)
    warehouse.api.lists["/users/1"].append({"id": "b"})
    said = synced(warehouse)
    assert [line for line in said if "comments on columns of promotions could not be" in line]
    assert warehouse.ids("promotions.users") == ["a", "b"]
    assert str(comments(warehouse)["email"]).startswith("E-mail")


def test_comments_are_written_once(warehouse: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    comment_on_tables = table_comments.comment_on_tables

    def counted(client: SqlClientBase[Any], *rest: Any) -> None:
        execute = client.execute_sql

        def ask(sql: Any, *values: Any) -> Any:
            asked.append(sql)
            return execute(sql, *values)

        with monkeypatch.context() as patch:
            patch.setattr(client, "execute_sql", ask)
            comment_on_tables(client, *rest)

    monkeypatch.setattr("sync_assets.warehouse.typed.views.comment_on_tables", counted)
    synced(warehouse)
    assert len(asked) == 1
    assert "COMMENT ON" not in asked[0]
