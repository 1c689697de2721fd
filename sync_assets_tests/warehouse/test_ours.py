"""A table or schema that has a name of ours but was not made by a sync is not changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources import apis
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse import load as loading
from sync_assets.warehouse import sync as syncing
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.prune import prune
from sync_assets.warehouse.queries import follow, state, table_stats
from sync_assets.warehouse.tables import open_tables
from sync_assets_tests.support.observers import Hearing
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import World, new_world

EVENTS, PROMOTIONS = apis()["events"], apis()["promotions"]
THEIRS = """CREATE TABLE events.orders
(id varchar, created_at bigint, customer varchar, note varchar NOT NULL)"""
ROWS = """INSERT INTO events.orders
SELECT CAST(n AS varchar), n, 'somebody', 'note' FROM generate_series(1, 1000) AS _(n)"""
ANOTHER = "the table is refused by name, the other lists are loaded"
FAULTS = {
    "a table of 1,000 rows under the name of one of ours": ANOTHER,
    "an empty table under the name of one of ours": ANOTHER,
    "a view under the name of one of ours": ANOTHER,
    "a table that a plain dlt script made from a source of the same name": ANOTHER,
    "a table `_syncs` or `_quarantine` with other columns": "refused before the first request",
    "a schema `<dataset>_staging`, or one like a staging dataset": "left alone",
    "old rows of another dlt script in `_dlt_loads`": "left alone",
    "a table that appears while lists are read": "the load is refused, nothing is changed",
    "two sources with one dataset": "refused before the first request",
}
TABLES = dict(
    zip(
        list(FAULTS)[:4],
        [
            [THEIRS, ROWS],
            [THEIRS],
            ["CREATE VIEW events.orders AS SELECT 1 AS id"],
            [THEIRS, ROWS, "CREATE TABLE events._dlt_loads (load_id varchar NOT NULL, "
             "schema_name varchar, status bigint NOT NULL, "
             "inserted_at timestamp with time zone NOT NULL, schema_version_hash varchar)",
             "INSERT INTO events._dlt_loads VALUES ('1', 'events', 0, '2020-01-01', 'x')"],
        ],
        strict=True,
    )
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account that lists one order and one ticket."""
    with new_world(tmp_path) as made:
        made.api.lists.update({"/orders": [{"id": "o"}], "/issued_tickets": [{"id": "t"}]})
        yield made


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def warehouse(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """The same with an empty warehouse of either kind."""
    if request.param == "duckdb":
        yield world
        return
    with own_database() as database:
        yield PostgresWorld.over(world, database)


def run(world: World, *statements: str) -> None:
    for statement in statements:
        world.query(statement)


def sync(world: World, *resources: str) -> dict[str, str | None]:
    """Errors by list, of two tables of events if none is named."""
    listings = world.sync("events", *(resources or ("orders", "issued_tickets")))
    return {name: listing.error for name, listing in listings.items()}


def contents(world: World, table: str = "events.orders") -> tuple[Any, Any]:
    return world.columns(table), world.query(f"SELECT * FROM {table} ORDER BY ALL")  # noqa: S608


@pytest.mark.parametrize(
    "fault",
    [fault if n in (0, 3) else pytest.param(fault, marks=pytest.mark.long)
     for n, fault in enumerate(TABLES)],
)  # fmt: skip
def test_a_table_that_no_sync_made_is_refused_by_name(warehouse: World, fault: str) -> None:
    run(warehouse, "CREATE SCHEMA events", *TABLES[fault])
    before = contents(warehouse)
    for _ in range(2):
        errors = sync(warehouse)
        assert errors.pop("issued_tickets") is None
        (message,) = errors.values()
        assert "orders: events.orders was there before any sync of events" in str(message)
        assert "SOURCES__EVENTS__DATASET" in str(message)
        assert "SOURCES__EVENTS__TAKE_OVER=orders" in str(message)
        assert contents(warehouse) == before
        assert warehouse.ids("events.issued_tickets") == ["t"]
    assert warehouse.api.asked("/orders") == []
    facts, known = table_stats(EVENTS, ["orders"])
    assert facts["orders"].rows == 0
    assert ("orders", None) not in known.histories


def test_a_dataset_of_refused_tables_alone_gets_none_of_ours(world: World) -> None:
    run(world, "CREATE SCHEMA events", THEIRS, ROWS)
    before = world.query("SELECT table_name FROM duckdb_tables() ORDER BY ALL")
    assert list(sync(world, "orders")) == ["orders"]
    assert world.api.seen == []
    assert world.query("SELECT table_name FROM duckdb_tables() ORDER BY ALL") == before


def test_a_name_in_other_letters_is_the_same_table_in_duckdb(world: World) -> None:
    run(world, "CREATE SCHEMA events", 'CREATE TABLE events."Orders" ("Id" varchar)')
    assert "was there before any sync" in str(sync(world, "orders")["orders"])


def test_a_table_is_taken_over_on_an_explicit_word(warehouse: World) -> None:
    run(warehouse, "CREATE SCHEMA events", THEIRS, ROWS)
    warehouse.configure("events", take_over=" orders\nissued_tickets ")
    warehouse.api.lists["/orders"] = []
    assert "the warehouse holds 1000 rows" in str(sync(warehouse)["orders"])
    warehouse.api.lists["/orders"] = [{"id": "o"}]
    assert sync(warehouse) == {"orders": None, "issued_tickets": None}
    assert warehouse.ids("events.orders") == ["o"]
    warehouse.configure("events", take_over="")
    assert sync(warehouse) == {"orders": None, "issued_tickets": None}


def test_an_unknown_table_to_take_over_is_named(world: World) -> None:
    world.configure("events", take_over="order")
    with pytest.raises(ConfigurationError, match=r"SOURCES__EVENTS__TAKE_OVER .* it has no order,"):
        sync(world)
    assert world.api.seen == []


@pytest.mark.parametrize("table", ["_syncs", "_quarantine"])
def test_a_dataset_where_no_notes_can_be_kept_is_refused(warehouse: World, table: str) -> None:
    name = f"events.{table}"
    run(warehouse, "CREATE SCHEMA events", f"CREATE TABLE {name} (id varchar NOT NULL)")
    before = contents(warehouse, name)
    with pytest.raises(WarehouseError, match=f"{name} is not the table that a sync keeps"):
        sync(warehouse)
    assert warehouse.api.seen == []
    assert contents(warehouse, name) == before
    assert state(EVENTS).histories == {}


def test_children_below_a_foreign_table_of_parents_are_not_judged_by_it(world: World) -> None:
    world.api.lists["/users/1"] = [{"id": "a"}]
    assert world.sync("promotions", "users", parents={"promotions": ["1"]})
    run(world, "CREATE TABLE promotions.promotions (id varchar)",
        "INSERT INTO promotions.promotions VALUES ('x')")  # fmt: skip
    assert follow(PROMOTIONS, PROMOTIONS.parents[0]) is None
    assert prune(PROMOTIONS, dry_run=False, say=print) == {}
    assert world.ids("promotions.users") == ["a"]


def test_each_partition_of_a_refused_table_is_named(world: World) -> None:
    run(world, "CREATE SCHEMA promotions", "CREATE TABLE promotions.users (id varchar)")
    world.api.lists.update({"/stages/1": [], "/stages/2": []})
    parents = {"promotions": ["1", "2"]}
    listings = world.sync("promotions", "users", "stages", parents=parents)
    assert {name for name, listing in listings.items() if listing.error} == {
        "users of 1",
        "users of 2",
    }
    assert world.api.asked("/users/1") == []


def test_nothing_is_removed_from_a_table_that_no_sync_made(world: World) -> None:
    run(world, "CREATE SCHEMA events", THEIRS, ROWS)
    with open_pipeline("events", "events") as pipeline, open_tables(pipeline) as tables:
        with pytest.raises(WarehouseError, match="orders was not made by a sync"):
            tables.delete("orders", "id", ["1"])
        with pytest.raises(WarehouseError, match="orders was not made by a sync"):
            tables.put("orders", "id", [{"id": "1"}])
    assert len(world.ids("events.orders")) == 1000


def test_a_table_of_a_sync_that_was_cut_off_is_ours(
    warehouse: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(loading, "load_files", lambda *_: 1 / 0)
        with pytest.raises(WarehouseError, match="division"):
            sync(warehouse)
    assert warehouse.ids("events.orders") == []
    assert state(EVENTS).histories == {}
    assert sync(warehouse) == {"orders": None, "issued_tickets": None}
    assert warehouse.ids("events.orders") == ["o"]


def test_the_failure_of_a_first_sync_marks_no_table(warehouse: World) -> None:
    warehouse.api.fail("/orders", status=404)
    assert "404" in str(sync(warehouse)["orders"])
    run(warehouse, THEIRS, ROWS)
    warehouse.api.heal()
    assert "was there before any sync" in str(sync(warehouse)["orders"])
    assert len(warehouse.ids("events.orders")) == 1000


def test_a_table_that_appears_while_lists_are_read_is_left_alone(world: World) -> None:
    made: list[ListResult] = []

    def somebody(listing: ListResult) -> None:
        if not made:
            run(world, "CREATE SCHEMA events", THEIRS, ROWS)
        made.append(listing)

    request = syncing.Request(EVENTS, ["orders", "issued_tickets"])
    with pytest.raises(WarehouseError, match="was there before any sync of events"):
        syncing.sync(request, Hearing(listing=somebody))
    assert len(world.ids("events.orders")) == 1000


SCHEMAS = ["events_staging", "events_staging_1f_0123abcd", "sync_assets_staging_mine", "xeventsx"]


def test_schemas_of_somebody_else_survive_and_those_of_killed_syncs_do_not(
    warehouse: World,
) -> None:
    for name in SCHEMAS:
        run(warehouse, f"CREATE SCHEMA {name}", f"CREATE TABLE {name}.orders (id varchar)")
    run(warehouse, "CREATE SCHEMA sync_assets_staging_0123456789ab",
        "CREATE TABLE sync_assets_staging_0123456789ab.orders (id bigint)")  # fmt: skip
    assert sync(warehouse) == {"orders": None, "issued_tickets": None}
    rows = warehouse.query("SELECT schema_name FROM information_schema.schemata")
    found = {row["schema_name"] for row in rows}
    assert found >= {"events", *SCHEMAS}
    assert not {name for name in found if name.startswith("sync_assets")} - set(SCHEMAS)
    assert contents(warehouse, "events_staging.orders")[1] == []


def test_notes_of_a_dlt_script_with_a_source_of_the_same_name_stay(world: World) -> None:
    source = dlt.source(lambda: dlt.resource([{"id": 1}], name="mine"), name="events")
    world.run(source())
    notes = ["SELECT load_id AS id FROM events._dlt_loads",
             "SELECT version_hash AS id FROM events._dlt_version"]  # fmt: skip
    theirs = [world.query(sql) for sql in notes]
    for _ in range(2):
        for table in ("_dlt_loads", "_dlt_version"):
            run(world, f"UPDATE events.{table} SET inserted_at = '2020-01-01'")  # noqa: S608
        assert sync(world) == {"orders": None, "issued_tickets": None}
    for sql, before in zip(notes, theirs, strict=True):
        assert all(row in world.query(sql) for row in before)
    assert world.ids("events.mine") == [1]


@pytest.mark.parametrize(
    "name",
    ["Events", "my events", "events-eu", "1events", "events_", "_events", "a__b", "tickets_staging",
     "tickets_sandbox", "tickets_typed", "sandbox", "pg_events", "information_schema",
     "sync_assets_x", "x" * 41, "é", "a.b", "a;b", '"a"', " events_eu"],
)  # fmt: skip
def test_a_name_that_no_dataset_may_have_is_refused(world: World, name: str) -> None:
    world.configure("events", dataset=name)
    with pytest.raises(ConfigurationError, match="SOURCES__EVENTS__DATASET must be the name of a"):
        sync(world)
    assert world.api.seen == []


def test_two_sources_in_one_dataset_are_refused(world: World) -> None:
    for settings in ({"events": "promotions"}, {"events": "all_of_it", "affiliates": "all_of_it"}):
        for source, name in settings.items():
            world.configure(source, dataset=name)
        with pytest.raises(ConfigurationError, match="would share the dataset") as caught:
            sync(world)
        assert all(
            f"SOURCES__{source.upper()}__DATASET" in str(caught.value) for source in settings
        )


def test_a_source_is_synced_into_the_dataset_that_is_configured(world: World) -> None:
    world.configure("events", dataset="tickets_eu")
    assert sync(world) == {"orders": None, "issued_tickets": None}
    assert world.ids("tickets_eu.orders") == ["o"]
    assert not world.query("SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'events'")
    assert ("orders", None) in state(EVENTS).histories
    world.configure("events", base_url="sandbox")
    assert dataset_of(EVENTS) == "tickets_eu_sandbox"
    world.configure("events", dataset="")
    assert dataset_of(EVENTS) == "events_sandbox"
