"""`sync-assets dbt`: what it writes, and what it leaves alone"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sync_assets import cli, dbt_sources
from sync_assets.dbt_sources import sources_yml
from sync_assets_tests.support.world import APIS, World


@pytest.fixture
def tables(world: World) -> dict[str, Any]:
    """The tables that are written for the world's account, by source and name."""
    file = world.folder / "sources.yml"
    for _ in range(2):  # what we wrote we write again
        assert cli.main(["dbt", str(file)]) == 0
    found = yaml.safe_load(file.read_text())
    return {
        f"{source['name']}/{table['name']}": table | {"schema": source["schema"]}
        for source in found["sources"]
        for table in source["tables"]
    }


def test_each_table_is_told_with_the_columns_of_its_typed_view(tables: dict[str, Any]) -> None:
    assert set(tables) == {
        f"{name}/{table}" for name, api in APIS.items() for table in api.endpoints
    }
    assert all(column["description"] for table in tables.values() for column in table["columns"])
    users = tables["promotions/users"]
    assert users["schema"] == "promotions_typed"
    columns = {column["name"]: column for column in users["columns"]}
    assert "promotion_title" in columns
    assert columns["email"]["config"] == {"tags": ["personal_data"]}


def test_keys_parents_and_clocks_are_tested(tables: dict[str, Any]) -> None:
    orders, users = tables["events/orders"], tables["promotions/users"]
    tests = {column["name"]: column.get("data_tests") for column in orders["columns"]}
    assert tests["id"] == ["unique", "not_null"]
    assert "data_tests" not in orders
    (together,) = users["data_tests"]
    assert "promotion_id" in together["unique"]["arguments"]["column_name"]
    tests = {column["name"]: column.get("data_tests") for column in users["columns"]}
    parent = {"to": "source('promotions', 'promotions')", "field": "id"}
    assert tests["promotion_id"] == ["not_null", {"relationships": {"arguments": parent}}]
    ages = [table["config"]["freshness"]["warn_after"]["count"] for table in (orders, users)]
    assert ages == [1, 1]
    assert "events._syncs WHERE resource = 'orders'" in orders["config"]["loaded_at_query"]


def test_a_file_of_somebody_elses_stays(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    file = world.folder / "mine.yml"
    file.write_text("version: 2\n")
    assert cli.main(["dbt", str(file)]) == 1
    assert "was not written by `sync-assets dbt`" in capsys.readouterr().out
    assert file.read_text() == "version: 2\n"


def test_a_place_that_is_not_there_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    file = world.folder / "nowhere" / "sources.yml"
    assert cli.main(["dbt", str(file)]) == 1
    assert "No such file or directory" in capsys.readouterr().out
    assert not Path(file).exists()


def test_a_warehouse_without_typed_views_has_the_tables(world: World) -> None:
    world.monkeypatch.setattr(dbt_sources, "dialect_of", lambda destination: None)
    (source, *_) = yaml.safe_load(sources_yml([APIS["events"]]))["sources"]
    assert source["schema"] == "events"
    orders = next(table for table in source["tables"] if table["name"] == "orders")
    columns = {column["name"]: column for column in orders["columns"]}
    assert list(columns) == list(APIS["events"].endpoints["orders"].columns)
    assert columns["buyer_details"]["config"] == {"tags": ["personal_data"]}
