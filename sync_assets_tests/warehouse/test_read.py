"""Reading the warehouse: whoever reads waits for the writer, and holds nobody up afterwards."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.errors import WarehouseBusyError, WarehouseError
from sync_assets.warehouse.read import read
from sync_assets_tests.support.documents import DOCS
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import World

BRANDS = "SELECT * FROM {promotions}.organizing_brands ORDER BY id"
COUNT = "SELECT count(*) AS n FROM {promotions}.promotions"


def sync_promotions(world: World) -> None:
    world.api.lists["/promotions"] = [
        {"id": "1", "title": "{promotions} 5 %", "organizing_brand": {"name": "A"}},
        {"id": "2", "title": "zwei", "timeline": {"end": None}},
    ]
    world.api.lists["/organizing_brands"] = []
    world.sync("promotions", "promotions", "organizing_brands")


@pytest.fixture(scope="module")
def synced(shared: World) -> World:
    """A warehouse with two promotions and an empty table."""
    sync_promotions(shared)
    return shared


@pytest.fixture
def database(synced: World) -> Path:
    """Its file."""
    return synced.folder / "warehouse.duckdb"


@contextmanager
def loading(database: Path) -> Iterator[threading.Event]:
    """Another process's load, as far as locks can tell: it has the file until the event is set."""
    held, done = threading.Event(), threading.Event()

    def load() -> None:
        with single_writer(database, silent):
            held.set()
            done.wait()

    other = threading.Thread(target=load)
    other.start()
    held.wait()
    try:
        yield done
    finally:
        done.set()
        other.join()


def assert_reads_as_documented() -> None:
    """Datasets, values, types and JSON are the same on every warehouse."""
    found = read("SELECT id, timeline FROM {promotions}.promotions WHERE id = %s", "2")
    assert found.num_rows == 1
    assert found["timeline"].type == pa.string()
    assert found.to_pylist()[0]["timeline"].replace(" ", "") == '{"end":null}'
    assert read(COUNT).to_pylist() == [{"n": 2}]
    text = "SELECT '{promotions} {other} 5 %' AS t WHERE 1 = 1"
    assert read(text).to_pylist() == [{"t": "promotions {other} 5 %"}]
    empty = read(BRANDS)
    assert empty.num_rows == 0
    assert empty.schema.field("id").type == pa.string()


def test_a_query_gives_typed_rows_of_the_configured_dataset(synced: World) -> None:
    assert_reads_as_documented()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM {promotions}.promotions",
        "CREATE TABLE {promotions}.mine AS SELECT 1 AS one",
        "DROP TABLE {promotions}.promotions",
    ],
)
def test_a_query_changes_nothing(synced: World, sql: str) -> None:
    with pytest.raises(WarehouseError, match=r"The query failed: .* read-only mode"):
        read(sql)
    assert read(COUNT).to_pylist() == [{"n": 2}]


def test_a_wrong_query_says_what_is_wrong_and_no_value(synced: World) -> None:
    with pytest.raises(WarehouseError, match="Table with name nothing does not exist"):
        read("FROM {promotions}.nothing")
    with pytest.raises(WarehouseError, match="Could not convert string") as caught:
        read("SELECT title::int FROM {promotions}.promotions WHERE id = '2'")
    assert "zwei" not in str(caught.value)


def test_a_load_is_waited_for_and_that_is_said(database: Path) -> None:
    said: list[str] = []
    with loading(database) as done:

        def say(text: str) -> None:
            said.append(text)
            done.set()

        assert read(COUNT, say=say).to_pylist() == [{"n": 2}]
    assert said
    assert said[0].startswith("waiting for warehouse.duckdb: another sync is using it")


def test_the_wait_ends(database: Path) -> None:
    with (
        loading(database),
        pytest.raises(WarehouseBusyError, match=r"warehouse\.duckdb is in use by another sync"),
    ):
        read(COUNT, patience=0.2)


def test_whoever_has_read_holds_nobody_up(database: Path) -> None:
    rows = read(COUNT)
    with single_writer(database, silent, patience=0.1):
        assert rows.num_rows == 1
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("SELECT current_setting('threads')").fetchone() != (1,)


def test_a_read_only_connection_of_the_same_process_is_named(database: Path) -> None:
    with (
        duckdb.connect(str(database), read_only=True),
        pytest.raises(WarehouseError, match="is already open in this process"),
    ):
        read(COUNT)


def test_the_example_of_the_page_is_run(world: World) -> None:
    world.api.lists["/orders"] = [{"id": "or_1", "total": 5, "status": "completed"}]
    world.sync("events", "orders")
    (example,) = re.findall(r"```python\n(.*?)```", DOCS["warehouses"], re.S)
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - our page
    assert names["orders"].to_pylist() == [{"id": "or_1", "total": 5}]


def test_a_warehouse_that_is_not_there_is_not_made(world: World) -> None:
    with pytest.raises(WarehouseError, match="a first sync makes it"):
        read(COUNT)
    assert not (world.folder / "warehouse.duckdb").exists()


@pytest.mark.long
def test_postgres_is_read_in_the_same_words(world: World) -> None:
    with own_database() as name:
        sync_promotions(PostgresWorld.over(world, name))
        assert_reads_as_documented()
        with pytest.raises(WarehouseError, match="in a read-only transaction"):
            read("DELETE FROM {promotions}.promotions")
        with pytest.raises(WarehouseError, match=r'relation "promotions\.nothing" does not exist'):
            read("SELECT * FROM {promotions}.nothing")


FAULTS: dict[str, str] = {
    "a query of `read` while a sync loads": "waited for, for 300 s or `patience`, and said",
    "a query of `read` that would change something": "refused",
    "a query of `read` beside a read-only connection of its process": "refused, with the reason",
    "a query of `read` before the first sync": "refused; no file is made",
}
