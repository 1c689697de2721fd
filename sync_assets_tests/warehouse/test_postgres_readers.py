"""Postgres: who reads a table holds up a change of it, which is said, and only for some time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from sync_assets.base.errors import SyncError
from sync_assets.warehouse.connection import readers
from sync_assets_tests.support.postgres import SERVER, PostgresWorld, own_database
from sync_assets_tests.support.world import new_world

pytestmark = pytest.mark.long
FAULTS = {
    "a transaction that has read a table, while a new field needs a column": "the sync waits and"
    " names the process; after 15 minutes it fails and changes nothing",
}


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresWorld]:
    """Users that were synced; from now on they have a field that needs a column."""
    with new_world(tmp_path) as made, own_database() as database:
        made.api.lists = {"/users/1": [{"id": "a"}]}
        world = PostgresWorld.over(made, database)
        world.sync("promotions", "users", parents={"promotions": ["1"]})
        made.api.lists["/users/1"][0]["shoe"] = "44"
        yield world


def reader(world: PostgresWorld, table: str) -> psycopg2.extensions.connection:
    """A connection whose transaction has read a table."""
    connection = psycopg2.connect(f"{SERVER}/{world.database}", application_name="a dashboard")
    connection.cursor().execute(f"SELECT 'a secret' FROM {table}")  # noqa: S608
    return connection


@pytest.mark.parametrize("table", ["promotions.users", "promotions_typed.users"])
def test_a_sync_that_waits_for_a_reader_says_for_whom(postgres: PostgresWorld, table: str) -> None:
    said: list[str] = []
    with closing(reader(postgres, table)) as connection:
        pid = connection.info.backend_pid

        def hear(line: str) -> None:
            said.append(line)
            if "waiting for" in line:
                connection.rollback()

        parents = {"promotions": ["1"]}
        found = postgres.sync("promotions", "users", parents=parents, say=hear)
    assert found["users of 1"].error is None
    (line,) = [line for line in said if "waiting for" in line]
    assert "waiting for promotions: its tables must be changed while others use them" in line
    assert line.endswith(f"pid {pid} (a dashboard)")
    assert postgres.query("SELECT shoe FROM promotions.users") == [{"shoe": "44"}]


def test_a_reader_that_stays_fails_the_sync_by_name(
    postgres: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "PATIENCE_SECONDS", 0.0)
    with closing(reader(postgres, "promotions.users")) as connection:
        pid = connection.info.backend_pid
        with pytest.raises(SyncError, match=rf"pid {pid} \(a dashboard\)") as caught:
            postgres.sync("promotions", "users", parents={"promotions": ["1"]})
    assert "The tables of promotions must be changed" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "shoe" not in postgres.columns("promotions.users")
    postgres.sync("promotions", "users", parents={"promotions": ["1"]})
    assert postgres.query("SELECT shoe FROM promotions.users") == [{"shoe": "44"}]
