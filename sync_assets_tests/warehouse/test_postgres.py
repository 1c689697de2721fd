"""Postgres as warehouse: what holds on DuckDB holds on a server, whose loads run side by side."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from inspect import signature
from pathlib import Path
from typing import Any
from zlib import crc32

import psycopg2
import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources import apis
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.warehouse.connection.postgres import BUCKETS
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.sources import test_exactness, test_rows
from sync_assets_tests.sources.test_exactness import PARENTS as THREE
from sync_assets_tests.sources.test_exactness import sync_users, users
from sync_assets_tests.sources.test_rows import synced
from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.dagster_world import comparable, environment, expected
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.killing import Story, version_of
from sync_assets_tests.support.killing import records as versioned
from sync_assets_tests.support.postgres import (
    SERVER,
    PostgresWorld,
    execute,
    own_database,
    require_server,
)
from sync_assets_tests.support.processes import Done, Task, Worker, together, workers
from sync_assets_tests.support.world import new_world
from sync_assets_tests.warehouse import test_atomicity

pytestmark = pytest.mark.long
NOON = 1_795_262_400.0
ROUNDS = Count("rounds of four syncs at once into Postgres", sample=10, full=100)
PAIRS = Count("two syncs of one list at once into Postgres", sample=8, full=40)
FIRST_LOADS = Count("first loads by four at once into Postgres", sample=3, full=20)
NEW_COLUMNS = Count("new columns by four at once in Postgres", sample=3, full=20)
KILLS = Count("kill -9 of a sync into Postgres", sample=10, full=40)
DISCONNECTS = Count("connections lost in a sync into Postgres", sample=8, full=30)
Property = Callable[[str, object], None]
DISCONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'
"""
__all__ = ["synced"]

#: They look at DuckDB's own catalogue and file.
DUCKDB_ALONE = ("test_required_columns_are_not_null", "test_nothing_is_left_behind")
LONG_NAME = "field long"


def of_any_warehouse() -> dict[str, Any]:
    """The tests of exactness, atomicity and odd rows, which know no warehouse but their world's."""
    return {
        name: test
        for module in (test_exactness, test_atomicity, test_rows)
        for name, test in vars(module).items()
        if name.startswith("test_") and name not in DUCKDB_ALONE
        if {"world", "shared", "three"} & set(signature(test).parameters)
    }


globals().update(of_any_warehouse())


@pytest.fixture(scope="module", autouse=True)
def server() -> None:
    """There is a server, or these tests are skipped."""
    require_server()


@pytest.fixture(autouse=True)
def without_long_names(request: pytest.FixtureRequest) -> None:
    """Leave out the record whose field has a longer name than a column may have here."""
    if (
        getattr(request.node, "callspec", None)
        and LONG_NAME in request.node.callspec.params.values()
    ):
        pytest.skip("Postgres cuts names after 63 bytes, dlt shortens them")


@pytest.fixture
def world(tmp_path: Path, server: None) -> Iterator[PostgresWorld]:
    """An account and a database of the test's own."""
    with new_world(tmp_path) as made, own_database() as database:
        yield PostgresWorld.over(made, database)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, server: None) -> Iterator[PostgresWorld]:
    """An account and a database that some tests share."""
    folder = tmp_path_factory.mktemp("shared")
    with new_world(folder) as made, own_database() as database:
        yield PostgresWorld.over(made, database)


@pytest.fixture(scope="module")
def loaded_once(tmp_path_factory: pytest.TempPathFactory, server: None) -> Iterator[str]:
    """A database that holds the users a to e below each of three promotions."""
    folder = tmp_path_factory.mktemp("loaded")
    with new_world(folder) as made, own_database() as database:
        world = PostgresWorld.over(made, database)
        world.api.lists.update({f"/users/{parent}": users(*"abcde") for parent in THREE})
        assert sync_users(world, *THREE) == dict.fromkeys(THREE)
        yield database


@pytest.fixture
def three(tmp_path: Path, loaded_once: str) -> Iterator[PostgresWorld]:
    """Three promotions with the users a to e each, synced, in a copy of the database."""
    with new_world(tmp_path) as made, own_database(loaded_once) as database:
        made.api.lists.update({f"/users/{parent}": users(*"abcde") for parent in THREE})
        yield PostgresWorld.over(made, database)


def test_the_keys_of_a_row_are_not_null(three: PostgresWorld) -> None:
    sql = """SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'promotions' AND table_name = 'users' AND is_nullable = 'NO'"""
    assert {row["column_name"] for row in three.query(sql)} == {"promotion_id", "id"}


def truth(account: Account, source: str, endpoint: Endpoint) -> list[dict[str, Any]]:
    """What the account lists of an endpoint, as rows."""
    if endpoint.parent is None:
        return [expected(record) for record in account.rows(source, endpoint.name)]
    return [
        expected(record, **{str(endpoint.parent_param): parent})
        for parent in account.parents(source, endpoint.name)
        for record in account.rows(source, endpoint.name, parent=parent)
    ]


def test_all_twenty_tables_equal_the_account(world: PostgresWorld) -> None:
    account = Account(seed=5, scale=Scale(promotions=6, event_series=3), clock=lambda: NOON)
    with Sandbox(account) as sandbox:
        for name, value in environment(sandbox, Path()).items():
            if name.startswith("SOURCES__"):
                world.monkeypatch.setenv(name, value)
        for api in apis().values():
            result = sync(Request(api, list(api.endpoints)))
            assert result.failed() == []
    tables = 0
    for source, api in apis().items():
        for endpoint in api.endpoints.values():
            found = world.rows(f"{source}.{endpoint.name}")
            listed = comparable(truth(account, source, endpoint))
            assert comparable(found) == listed
            tables += bool(listed)
    assert tables == 20
    assert world.stagings() == []


AWKWARD = ["", " ", "NULL", "\\N", "\\", "'", '"', "a'b\"c\\d\te\nf\r\n;--{}%s $1 \u2028 😀", "{}"]


def test_awkward_text_arrives_as_it_is(world: PostgresWorld) -> None:
    world.api.lists["/users/1"] = [
        {"id": text, "nickname": text, "meta_data": {"x": text}, "new": text} for text in AWKWARD
    ]
    assert sync_users(world, "1") == {"1": None}
    sql = "SELECT id, nickname, new, meta_data ->> 'x' AS inside FROM promotions.users"
    assert sorted(tuple(row.values()) for row in world.query(sql)) == sorted(
        (text, text, text, text) for text in AWKWARD
    )


def test_text_that_no_server_holds_stops_no_good_row(world: PostgresWorld) -> None:
    bad = [
        {"id": "a\0"},
        {"id": "b", "nickname": "\0"},
        {"id": "c", "meta_data": {"x": "\0"}},
        {"id": "d", "new": "\0"},
    ]
    world.api.lists.update({"/users/1": [*bad, {"id": "e"}], "/users/2": users("ok")})
    errors = sync_users(world, "1", "2", "\0")
    assert (errors["1"], errors["2"]) == (None, None)
    assert "cannot be an id in the path" in (errors["\0"] or "")
    assert sorted(row["id"] for row in world.query("SELECT id FROM promotions.users")) == [
        "b", "c", "d", "e", "ok",
    ]  # fmt: skip
    kept = world.quarantined("promotions")
    assert [json.loads(row["record"]) for row in kept] == bad
    assert all("no server takes" in row["reason"] for row in kept)


def test_a_reader_in_a_transaction_sees_the_table_as_it_was(world: PostgresWorld) -> None:
    """TRUNCATE would show an empty table to a transaction that began before it."""
    world.api.lists.update({"/organizing_brands": [{"id": "1"}], "/stages/1": [{"id": "1"}]})
    both, parents = ("organizing_brands", "stages"), {"promotions": ["1"]}
    world.sync("promotions", *both, parents=parents)
    world.api.lists.update({"/organizing_brands": [{"id": "2"}], "/stages/1": [{"id": "2"}]})
    with closing(psycopg2.connect(f"{SERVER}/{world.database}")) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM promotions._dlt_loads")
            world.sync("promotions", *both, parents=parents)
            for table in both:
                cursor.execute(f"SELECT id FROM promotions.{table}")  # noqa: S608
                assert cursor.fetchall() == [("1",)]
    assert [world.ids(f"promotions.{table}") for table in both] == [["2"], ["2"]]


def brand_new(names: int) -> list[Task]:
    """Syncs that have nothing in common but their tables."""
    return [Task("promotions", ["users"], {"promotions": [str(n)]}) for n in range(names)]


@FIRST_LOADS
def test_first_loads_side_by_side_make_the_tables_once(world: PostgresWorld) -> None:
    """Dlt's own CREATE SCHEMA and CREATE TABLE race otherwise."""
    for n in range(4):
        world.api.lists[f"/users/{n}"] = users(*"abc", note=f"of {n}")
    with workers(4, world.folder) as crew:
        for _ in range(FIRST_LOADS.size):
            done = together(list(zip(crew, brand_new(4), strict=True)))
            assert all(result.green for result in done), done
            assert world.query("SELECT count(*) AS n FROM promotions.users") == [{"n": 12}]
            world.query("DROP SCHEMA promotions CASCADE")


@NEW_COLUMNS
def test_new_columns_of_several_syncs_at_once_are_all_made(world: PostgresWorld) -> None:
    with workers(4, world.folder) as crew:
        for round_number in range(NEW_COLUMNS.size):
            for n in range(4):
                world.api.lists[f"/users/{n}"] = [{"id": "1", f"new_{round_number}": str(n)}]
            done = together(list(zip(crew, brand_new(4), strict=True)))
            assert all(result.green for result in done), done
    last = f"new_{NEW_COLUMNS.size - 1}"
    rows = world.query(f"SELECT promotion_id, {last} FROM promotions.users")  # noqa: S608
    assert sorted(tuple(row.values()) for row in rows) == [(str(n), str(n)) for n in range(4)]


@ROUNDS
def test_rounds_of_four_side_by_side_lose_nothing(world: PostgresWorld) -> None:
    rng, stories = random.Random(SEED), {str(n): 0 for n in range(4)}
    world.api.page_size = 1000
    tasks = [Task("promotions", ["stages"], {"promotions": [parent]}) for parent in stories]
    with workers(4, world.folder) as crew:
        for _ in range(ROUNDS.size):
            for parent in stories:
                stories[parent] = rng.randrange(1, 10**6)
                world.api.lists[f"/stages/{parent}"] = versioned(stories[parent])
            done = together(list(zip(crew, tasks, strict=True)))
            assert all(result.green for result in done), (SEED, done)
            rows = world.query("SELECT promotion_id, id, name FROM promotions.stages")
            for parent, version in stories.items():
                mine = [(r["id"], r["name"]) for r in rows if r["promotion_id"] == parent]
                assert version_of(mine) == version, SEED
    assert world.stagings() == []


@PAIRS
@pytest.mark.parametrize(
    "task",
    [
        Task("promotions", ["stages"], {"promotions": ["1"]}, allow_empty=True),
        Task("promotions", ["organizing_brands"], allow_empty=True),
    ],
)
def test_two_syncs_of_one_list_at_once_give_one_of_them(
    world: PostgresWorld, elsewhere: FakeApi, task: Task
) -> None:
    path = "/stages/1" if task.parents else "/organizing_brands"
    there = {"SOURCES__PROMOTIONS__BASE_URL": elsewhere.base_url("promotions")}
    world.api.page_size = elsewhere.page_size = 1000
    with workers(1, world.folder) as (here,), workers(1, world.folder, **there) as (other,):
        for round_number in range(PAIRS.size):
            versions = [2 * round_number + 1, 2 * round_number + 2]
            if round_number % 4 == 0:  # as on the first day: there is nothing to wait for
                world.query("DROP SCHEMA IF EXISTS promotions CASCADE")
            world.api.lists[path], elsewhere.lists[path] = map(versioned, versions)
            done = together([(here, task), (other, task)])
            assert all(result.green for result in done), done
            rows = world.query(f"SELECT id, name FROM promotions.{task.resources[0]}")  # noqa: S608
            assert version_of([(row["id"], row["name"]) for row in rows]) in versions


@pytest.mark.parametrize("key", ["-1", f"{crc32(b'users/1') % BUCKETS}"])
def test_a_wait_for_another_load_is_said(world: PostgresWorld, key: str) -> None:
    world.api.lists["/users/1"] = users("a")
    with workers(1, world.folder) as (worker,):
        with closing(psycopg2.connect(f"{SERVER}/{world.database}")) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(hashtext('promotions'), %s)", (int(key),))
            worker.start(Task("promotions", ["users"], {"promotions": ["1"]}))
            assert worker.hear().startswith("waiting for promotions: another sync loads it (1 s")
        assert worker.result().green


@KILLS
def test_kills_leave_old_or_new_rows_and_no_staging_for_long(
    world: PostgresWorld, record_property: Property
) -> None:
    told = Story(world, world.query, world.folder / "scratch")
    with workers(1, told.scratch) as (first,):
        told.settle(first)
    upcoming, abandoned = Worker(told.scratch), 0
    while told.deaths.total() - told.deaths["outside"] < KILLS.size:
        victim, upcoming = upcoming, Worker(told.scratch)
        told.settle(victim)
        assert world.stagings() == []
        told.kill(victim)
        abandoned += len(world.stagings())
    told.settle(upcoming)
    upcoming.kill()
    record_property("figures", f"{told.figures()}; {abandoned} stagings left and removed")
    assert abandoned
    assert told.deaths["load"] >= KILLS.size // 4


@DISCONNECTS
def test_lost_connections_leave_old_or_new_rows_and_a_clear_error(
    world: PostgresWorld, record_property: Property
) -> None:
    told = Story(world, world.query, world.folder / "scratch")
    ends: list[Done] = []
    with workers(1, told.scratch, PGAPPNAME="victim") as (worker,):

        def disconnect() -> None:
            while worker.busy():
                execute("postgres", DISCONNECT)
            ends.append(worker.result())

        for _ in range(DISCONNECTS.size):
            told.settle(worker)
            told.disturb(worker, disconnect)
        told.settle(worker)
    failures = [str(done.failure) for done in ends if not done.green]
    record_property(
        "figures", f"{len(failures)} of {len(ends)} syncs red; {told.readings} readings"
    )
    assert failures
    assert world.stagings() == []
