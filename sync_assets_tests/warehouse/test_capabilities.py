"""A destination on which a promise cannot hold is refused, before the first request."""

from __future__ import annotations

import pytest
from dlt.common.destination import Destination

from sync_assets.cli import main
from sync_assets.warehouse.connection.capabilities import TYPE, missing
from sync_assets.warehouse.connection.destination import configured_destination
from sync_assets.warehouse.errors import WarehouseError
from sync_assets_tests.support.world import World

PARENT, TABLE = "below one parent cannot be replaced", "a whole table cannot be replaced"
GAPS, DIALECT = "without a transaction", "no SQL dialect"
REFUSED = {
    "filesystem": [PARENT],
    "dummy": [TABLE, GAPS, DIALECT],
    "sqlalchemy": [DIALECT],
    "bigquery": [GAPS],
    "databricks": [GAPS],
    "synapse": [GAPS],
    "fabric": [GAPS],
    "athena": [GAPS],
    "clickhouse": [GAPS],
    "dremio": [GAPS],
    "lance": [PARENT, TABLE, GAPS, DIALECT],
    "lancedb": [PARENT, TABLE, GAPS, DIALECT],
    "qdrant": [PARENT, TABLE, GAPS, DIALECT],
    "weaviate": [PARENT, TABLE, GAPS, DIALECT],
}
ACCEPTED = ["duckdb", "ducklake", "motherduck", "mssql", "postgres", "redshift", "snowflake"]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_destination_that_cannot_keep_a_promise_is_refused(world: World, kind: str) -> None:
    world.monkeypatch.setenv(TYPE, kind)
    with pytest.raises(WarehouseError) as caught:
        world.sync("promotions", "promotions")
    message = str(caught.value)
    assert message.startswith(f"{kind} cannot hold the tables: ")
    assert [reason in message for reason in (PARENT, TABLE, GAPS, DIALECT)] == [
        reason in REFUSED[kind] for reason in (PARENT, TABLE, GAPS, DIALECT)
    ]
    assert f"Set {TYPE} to" in message
    assert world.api.seen == []


def test_a_table_format_does_not_make_files_a_warehouse(world: World) -> None:
    world.monkeypatch.setenv(TYPE, "filesystem")
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__BUCKET_URL", str(world.folder))
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__TABLE_FORMAT", "delta")
    with pytest.raises(WarehouseError, match="delete-insert"):
        world.sync("promotions", "promotions")


def test_the_headless_sync_refuses_before_it_looks_for_a_partition(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.monkeypatch.setenv(TYPE, "filesystem")
    assert main(["promotions", "--partition", "1"]) == 1
    assert "filesystem cannot hold the tables" in capsys.readouterr().out
    assert world.api.seen == []


@pytest.mark.parametrize("kind", ACCEPTED)
def test_deletes_and_inserts_are_one_transaction_wherever_dlt_has_any(
    world: World, kind: str
) -> None:
    destination = Destination.from_reference(kind)
    assert destination is not None
    assert missing(destination.capabilities()) == []
    world.monkeypatch.setenv(TYPE, kind)
    able = configured_destination().capabilities()
    assert able.supports_transactions
    assert not able.supports_truncate_command
