"""A table that refuses rows fails alone and at once; a warehouse that is away is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from sync_assets.lib.assets import materialize
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse import load as loading
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.connection.driver_errors import translate_errors
from sync_assets.warehouse.connection.transient import is_transient
from sync_assets.warehouse.errors import WarehouseError, WarehouseLostError
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.postgres import PostgresWorld, execute, own_database
from sync_assets_tests.support.world import World

ALONE = "the lists of that table fail, the others are loaded, nothing is read again"
USERS = "promotions.users"
TRIGGER = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'no % here', NEW.email; END$$"""
#: Of Postgres: what a user may do to a table of ours that then takes no rows of the next sync.
REFUSALS = {
    "a CHECK of the user refuses one row": [
        f"ALTER TABLE {USERS} ADD CHECK (email <> 'secret@x.org')"
    ],
    "a unique index of the user": [f"CREATE UNIQUE INDEX ON {USERS} (email)"],
    "a column of an enum of the user": [
        "DROP SCHEMA promotions_typed CASCADE",
        "CREATE TYPE mail AS ENUM ('a@x.org')",
        f"ALTER TABLE {USERS} ALTER COLUMN email TYPE mail USING email::mail",
    ],
    "a trigger of the user that raises an error": [
        TRIGGER,
        f"CREATE TRIGGER mine BEFORE INSERT ON {USERS} FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}
FAULTS = {
    **{f"Postgres: {name}": ALONE for name in REFUSALS},
    "DuckDB: a CHECK of the user refuses one row": ALONE,
    "a table without partitions that refuses a row": ALONE,
    "two tables that refuse rows": ALONE,
    "a connection that is lost while rows are loaded": "loaded in the same attempt, read once",
}
PARENTS = {"promotions": ["1", "2"]}


def first(world: World) -> None:
    """Sync once; then there are other rows, of which the users of 2 hold an address twice."""
    world.api.lists = {
        "/stages/1": [{"id": "old"}],
        "/stages/2": [{"id": "old"}],
        "/users/1": [{"id": "old", "email": "a@x.org"}],
        "/users/2": [],
    }
    assert not errors(sync(world))
    twice = [{"id": identity, "email": "secret@x.org"} for identity in "uv"]
    world.api.lists = {
        "/stages/1": [{"id": "new"}],
        "/stages/2": [{"id": "new"}],
        "/users/1": [{"id": "u", "email": "b@x.org"}],
        "/users/2": twice,
    }
    world.api.seen.clear()


def sync(world: World) -> dict[str, ListResult]:
    return world.sync("promotions", "users", "stages", parents=PARENTS)


def errors(listings: dict[str, ListResult]) -> dict[str, str]:
    return {name: str(one.error) for name, one in listings.items() if one.error}


def refuse_in_duckdb(world: World, table: str, check: str) -> None:
    """Give a table a CHECK, which DuckDB adds to none that is there."""
    schema, _, name = table.partition(".")
    (row,) = world.query(
        "SELECT sql FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?", schema, name
    )
    world.query(f"ALTER TABLE {table} RENAME TO as_it_was")
    world.query(f"{row['sql'].rstrip(';').removesuffix(')')}, CHECK ({check}))")
    world.query(f"INSERT INTO {table} SELECT * FROM {schema}.as_it_was")  # noqa: S608
    world.query(f"DROP TABLE {schema}.as_it_was")


def assert_failed_alone(world: World) -> None:
    failed = errors(sync(world))
    assert set(failed) == {"users of 1", "users of 2"}
    for message in failed.values():
        assert "promotions could not be loaded" in message
        assert "secret" not in message
    assert len(world.api.seen) == 4
    assert world.ids("promotions.stages") == ["new", "new"]
    assert world.ids(USERS) == ["old"]
    rows = world.query("SELECT list, rows, failures, error FROM promotions._syncs ORDER BY list")
    known = {row["list"]: row for row in rows}
    for name in ("users/1", "users/2"):
        assert known[name]["failures"] == 1
        assert known[name]["error"] == failed[name.replace("/", " of ")]
    assert (known["users/1"]["rows"], known["stages/1"]["failures"]) == (1, 0)


def test_a_check_in_duckdb_fails_one_table_alone(world: World) -> None:
    first(world)
    refuse_in_duckdb(world, USERS, "email <> 'secret@x.org'")
    assert_failed_alone(world)
    del world.api.lists["/users/2"][:]
    assert not errors(sync(world))
    assert world.ids(USERS) == ["u"]


@pytest.mark.long
def test_tables_without_partitions_and_their_parts_fail_alone(world: World) -> None:
    world.api.lists = {
        "/orders": [{"id": "o"}], "/products": [{"id": "p"}], "/vouchers": [{"id": "v"}],
        "/vouchers/v/codes": [{"id": "c"}],
    }  # fmt: skip
    tables = ("orders", "products", "vouchers", "vouchers_codes")
    assert not errors(world.sync("events", *tables))
    for path in world.api.lists:
        world.api.lists[path] = [*world.api.lists[path], {"id": "x"}]
    world.api.lists["/vouchers/x/codes"] = []
    refuse_in_duckdb(world, "events.orders", "id <> 'x'")
    refuse_in_duckdb(world, "events.vouchers_codes", "id <> 'x'")
    world.api.seen.clear()
    failed = errors(world.sync("events", *tables))
    assert set(failed) == {"orders", "vouchers_codes of v", "vouchers_codes of x"}
    assert len(world.api.seen) == 5
    assert [world.ids(f"events.{name}") for name in tables] == [
        ["o"],
        ["p", "x"],
        ["v", "x"],
        ["c"],
    ]


@pytest.mark.long
def test_all_tables_refuse(world: World) -> None:
    world.api.lists = {"/orders": [{"id": "o"}]}
    assert not errors(world.sync("events", "orders"))
    world.api.lists["/orders"].append({"id": "x"})
    refuse_in_duckdb(world, "events.orders", "id <> 'x'")
    assert list(errors(world.sync("events", "orders"))) == ["orders"]
    assert world.ids("events.orders") == ["o"]
    assert world.query("SELECT failures FROM events._syncs") == [{"failures": 1}]


@pytest.mark.long
def test_what_comes_in_a_later_round_is_loaded(world: World) -> None:
    """A list of a refusing table that is read later does not share the fate of the others."""
    world.monkeypatch.setenv("EXECUTION__COMMIT_EVERY", "1")
    first(world)
    refuse_in_duckdb(world, USERS, "email <> 'secret@x.org'")
    world.api.fail("/users/1", times=1, delay=2.5)
    assert set(errors(sync(world))) == {"users of 2"}
    assert world.ids(USERS) == ["u"]
    assert len(world.api.seen) == 4


@pytest.fixture
def server(world: World) -> Iterator[PostgresWorld]:
    with own_database() as database:
        yield PostgresWorld.over(world, database)


@pytest.mark.long
@pytest.mark.parametrize("name", REFUSALS)
def test_a_table_of_postgres_that_refuses_fails_alone(server: PostgresWorld, name: str) -> None:
    first(server)
    for statement in REFUSALS[name]:
        server.query(statement)
    assert_failed_alone(server)
    assert server.stagings() == []


@pytest.mark.long
def test_a_run_is_not_tried_again_for_a_row_that_is_refused(
    runs: DagsterRuns, server: PostgresWorld, record_property: Callable[[str, object], None]
) -> None:
    runs.first_sync()
    server.query(f"ALTER TABLE {USERS} ADD CHECK (email <> 'secret@x.org')")
    server.api.lists["/users/2"] = [{"id": "u", "email": "secret@x.org"}]
    server.api.seen.clear()
    began = time.monotonic()
    run = runs.run_range("promotions", "promotions/users", "promotions/stages")
    seconds = time.monotonic() - began
    record_property("figures", f"{len(server.api.seen)} requests for 6 lists, {seconds:.1f} s")
    assert not run.success
    assert not [e for e in run.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert len(server.api.seen) == 6
    made = run.get_asset_materialization_events()
    assert {event.asset_key.path[-1] for event in made if event.asset_key} == {"stages"}
    assert "violates check constraint" in runs.failure(run)
    told = "".join(str(event) for event in runs.instance.all_logs(run.run_id))
    assert "secret@x.org" not in told


@pytest.mark.long
@pytest.mark.parametrize("times", [1, 3])
def test_what_was_read_is_loaded_again_where_the_connection_is_lost(
    runs: DagsterRuns, server: PostgresWorld, times: int
) -> None:
    server.monkeypatch.setattr(materialize, "PAUSE_SECONDS", 0)
    assert runs.run("promotions/promotions", "promotions/organizing_brands").success
    whole: Any = loading.load_files
    left = [times]

    def lose(*arguments: Any) -> None:
        whole(*arguments)
        if left[0]:
            left[0] -= 1
            mine = "datname = %s AND pid <> pg_backend_pid()"
            query = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"  # noqa: S608
            execute("postgres", query, server.database)

    server.monkeypatch.setattr(loading, "load_files", lose)
    server.api.seen.clear()
    run = runs.run("promotions/promotions", "promotions/organizing_brands")
    assert run.success == (times == 1)
    assert len(server.api.seen) == 2
    assert not [e for e in run.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]


LOST = {
    "SELECT pg_terminate_backend(pg_backend_pid())": True,
    "SET statement_timeout = 1; SELECT pg_sleep(1)": True,
    "DO $$BEGIN RAISE serialization_failure; END$$": True,
    "DO $$BEGIN RAISE deadlock_detected; END$$": True,
    "DO $$BEGIN RAISE too_many_connections; END$$": True,
    "DO $$BEGIN RAISE lock_not_available; END$$": True,
    "DO $$BEGIN RAISE 'mine'; END$$": False,
    "DO $$BEGIN RAISE check_violation; END$$": False,
    "SELECT 'x'::int": False,
    "SELECT 1 / 0": False,
    "SELECT nonsense": False,
    "SELECT nonsense(1)": False,
    "SELECT * FROM nonsense": False,
    "SELEC": False,
    "SET ROLE pg_monitor; CREATE TABLE pg_catalog.x ()": False,
}


@pytest.mark.long
@pytest.mark.parametrize("statement", LOST)
def test_what_may_be_over_soon_is_told_from_what_is_not(
    server: PostgresWorld, statement: str
) -> None:
    with open_pipeline("promotions", "promotions") as pipeline:
        kind = WarehouseLostError if LOST[statement] else WarehouseError
        with (
            pytest.raises(WarehouseError) as caught,
            translate_errors("promotions"),
            pipeline.sql_client() as client,
        ):
            client.execute_sql(statement)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "lost"),
    [(ConnectionResetError(), True), (TimeoutError(), True), (KeyError("x"), False)],
)
def test_errors_that_no_driver_names(error: Exception, lost: bool) -> None:
    assert is_transient(error) == lost
