"""Who blocks whom where a program has the warehouse open, as docs/warehouses.md says it."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support.postgres import SERVER, PostgresWorld, execute, own_database
from sync_assets_tests.support.readers import ATTACHED, OPENED, WRITING, attempt, command, reader
from sync_assets_tests.support.services import unavailable
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long
BELOW_ONE = {"promotions": ["1"]}
LOCKED = "IO Error: Could not set lock on file"


@pytest.fixture
def database(world: World) -> Path:
    """A warehouse with one user, and an account that has two by now."""
    world.api.lists["/users/1"] = [{"id": "a"}]
    world.sync("promotions", "users", parents=BELOW_ONE)
    world.api.lists["/users/1"] = [{"id": "a"}, {"id": "b"}]
    return world.folder / "warehouse.duckdb"


@pytest.mark.parametrize("how", [OPENED, ATTACHED, WRITING])
def test_no_program_opens_the_file_while_a_sync_loads(database: Path, how: str) -> None:
    with single_writer(database, silent):
        assert attempt(database, how).startswith(LOCKED)
    assert attempt(database, how) == "open"


@pytest.mark.parametrize("how", [OPENED, ATTACHED])
def test_a_load_waits_for_readers_who_do_not_wait_for_each_other(
    database: Path, world: World, how: str
) -> None:
    said: list[str] = []
    with reader(database, 2, how) as pid:
        assert attempt(database, OPENED) == "open"
        assert attempt(database, ATTACHED) == "open"
        assert attempt(database, WRITING).startswith(LOCKED)
        world.sync("promotions", "users", parents=BELOW_ONE, say=said.append)
    (waits,) = [one for one in said if one.startswith("waiting for warehouse.duckdb")]
    assert f"PID {pid}" in waits
    assert world.ids("promotions.users") == ["a", "b"]


def flock(database: Path) -> list[str]:
    """The command that waits for the lock of a warehouse, as the page has it."""
    if shutil.which("flock") is None:
        unavailable("no flock, with which the documented commands begin")
    return ["flock", f"{database}.lock"]


def test_a_copy_under_the_lock_waits_for_a_load_and_holds_nobody_up(
    database: Path, world: World
) -> None:
    copy = database.with_name("reports.duckdb")
    with single_writer(database, silent):
        copying = subprocess.Popen([*flock(database), "cp", str(database), str(copy)])
        time.sleep(0.5)
        assert not copy.exists()
    assert copying.wait(60) == 0
    started = time.monotonic()
    with reader(copy, 60):
        world.sync("promotions", "users", parents=BELOW_ONE)
        assert time.monotonic() - started < 50
    assert world.ids("promotions.users") == ["a", "b"]
    assert attempt(copy, f"{OPENED}; assert len(connection.table('promotions.users')) == 1")


def test_a_program_under_the_lock_takes_its_turn(database: Path, world: World) -> None:
    said: list[str] = []
    with subprocess.Popen(
        [*flock(database), *command(database, 2)], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        world.sync("promotions", "users", parents=BELOW_ONE, say=said.append)
        assert program.wait(60) == 0
    assert [one for one in said if "another sync is using it" in one]
    assert not [one for one in said if "Could not set lock" in one]


def test_an_open_transaction_on_postgres_holds_up_a_new_column_alone(world: World) -> None:
    with own_database() as name:
        postgres = PostgresWorld.over(world, name)
        world.api.lists["/users/1"] = [{"id": "a"}]
        postgres.sync("promotions", "users", parents=BELOW_ONE)
        with closing(psycopg2.connect(f"{SERVER}/{name}")) as connection:
            connection.cursor().execute("SELECT count(*) FROM promotions.users")
            world.api.lists["/users/1"] = [{"id": "a"}, {"id": "b"}]
            postgres.sync("promotions", "users", parents=BELOW_ONE)
            assert postgres.ids("promotions.users") == ["a", "b"]
            world.api.lists["/users/1"] = [{"id": "a", "brand_new": "x"}]
            loading = threading.Thread(
                target=postgres.sync, args=("promotions", "users"), kwargs={"parents": BELOW_ONE}
            )
            loading.start()
            loading.join(2)
            assert loading.is_alive()
            execute(name, "SET lock_timeout = '30s'; SELECT id FROM promotions.users")
            assert loading.is_alive(), "the sync lets others read while it waits"
        loading.join(60)
        assert not loading.is_alive()
        assert postgres.columns("promotions.users")["brand_new"] == "VARCHAR"
