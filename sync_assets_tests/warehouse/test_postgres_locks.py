"""The locks of a load on Postgres last as long as the load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import dlt
import pytest

from sync_assets.warehouse import load as loading
from sync_assets.warehouse import sync as syncing
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.connection.postgres import KEEPALIVES, TIMEOUTS, outlast_timeouts
from sync_assets.warehouse.errors import WarehouseLostError
from sync_assets_tests.support.postgres import PostgresWorld, execute, own_database
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long
HELD = """FROM pg_locks WHERE locktype = 'advisory'
AND database = (SELECT oid FROM pg_database WHERE datname = %s)"""
FAULTS = {
    **{
        f"a Postgres role with a timeout of 150 ms: {name}": "switched off for the load, which"
        " succeeds"
        for name in TIMEOUTS
    },
    "a load whose locks are lost": "the run fails; `_syncs` records no success",
}


@pytest.fixture
def world(world: World) -> Iterator[PostgresWorld]:
    """An account with 30,000 users below one promotion, and an empty database."""
    with own_database() as database:
        made = PostgresWorld.over(world, database)
        made.api.page_size = 10_000
        made.api.lists["/users/1"] = [{"id": str(n), "email": "e" * 200} for n in range(30_000)]
        yield made


@contextmanager
def role(world: PostgresWorld, timeout: str) -> Iterator[None]:
    """Load as a role with a timeout of 150 ms."""
    name = f"loader_{uuid4().hex[:8]}"
    execute("postgres", f"CREATE ROLE {name} LOGIN PASSWORD 'x' SUPERUSER")
    try:
        execute("postgres", f"ALTER ROLE {name} SET {timeout} = '150ms'")
        credentials = f"postgresql://{name}:x@127.0.0.1:5432/{world.database}"
        world.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", credentials)
        yield
    finally:
        execute(world.database, f"REASSIGN OWNED BY {name} TO postgres")
        execute("postgres", f"DROP ROLE {name}")


def known(timeout: str) -> None:
    if not execute("postgres", "SELECT 1 FROM pg_settings WHERE name = %s", timeout):
        pytest.skip(f"this server has no {timeout}")


def load(world: PostgresWorld) -> str | None:
    listings = world.sync("promotions", "users", parents={"promotions": ["1"]})
    return listings["users of 1"].error


def slowed(monkeypatch: pytest.MonkeyPatch, world: PostgresWorld) -> list[int]:
    """Let each load take a second longer; gives how many advisory locks were held at its end."""
    counts: list[int] = []
    whole: Any = loading.load_files

    def slow(pipeline: dlt.Pipeline, *rest: Any) -> None:
        whole(pipeline, *rest)
        time.sleep(1)
        (row,) = execute(world.database, f"SELECT count(*) AS n {HELD}", world.database)
        counts.append(row["n"])

    monkeypatch.setattr(loading, "load_files", slow)
    return counts


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_timeout_of_the_role_ends_no_load(
    world: PostgresWorld, timeout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(timeout)
    held = slowed(monkeypatch, world)
    with role(world, timeout):
        assert load(world) is None
        assert load(world) is None
    assert held == [2, 2]  # the list and the staging dataset
    (row,) = world.query("SELECT rows FROM promotions._syncs WHERE parent = '1'")
    assert row["rows"] == 30_000


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_the_guard_is_what_holds(
    world: PostgresWorld, timeout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if timeout not in ("idle_in_transaction_session_timeout", "transaction_timeout"):
        pytest.skip("the others end a load only where a statement or a lock takes long")
    known(timeout)
    slowed(monkeypatch, world)
    monkeypatch.setattr(syncing, "outlast_timeouts", lambda _: None)
    with role(world, timeout), pytest.raises(WarehouseLostError):
        load(world)


def test_a_load_whose_locks_were_lost_is_not_whole(
    world: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.api.lists["/users/1"] = world.api.lists["/users/1"][:10]
    assert load(world) is None
    before = world.query("SELECT * FROM promotions._syncs ORDER BY ALL")
    world.api.lists["/users/1"] = world.api.lists["/users/1"][:5]
    whole: Any = loading.load_files

    def lose(pipeline: dlt.Pipeline, *rest: Any) -> None:
        whole(pipeline, *rest)
        execute(world.database, f"SELECT pg_terminate_backend(pid) {HELD}", world.database)

    with monkeypatch.context() as patch:
        patch.setattr(loading, "load_files", lose)
        with pytest.raises(WarehouseLostError):
            load(world)
    assert world.query("SELECT * FROM promotions._syncs ORDER BY ALL") == before
    assert load(world) is None


def test_locks_that_are_lost_at_the_very_end_take_the_notes_with_them(
    world: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.api.lists["/users/1"] = world.api.lists["/users/1"][:10]
    assert load(world) is None
    before = world.query("SELECT * FROM promotions._syncs ORDER BY ALL")

    def lose(*_: Any) -> None:
        execute(world.database, f"SELECT pg_terminate_backend(pid) {HELD}", world.database)

    with monkeypatch.context() as patch:
        patch.setattr(loading, "forget_old_loads", lose)
        with pytest.raises(WarehouseLostError):
            load(world)
    assert world.query("SELECT * FROM promotions._syncs ORDER BY ALL") == before


def test_a_network_in_between_hears_of_the_connection(world: PostgresWorld) -> None:
    world.monkeypatch.setenv(
        "DESTINATION__WAREHOUSE__CREDENTIALS",
        f"postgresql://postgres:x@127.0.0.1:5432/{world.database}?keepalives_idle=7",
    )
    with open_pipeline("promotions", "promotions") as pipeline:
        outlast_timeouts(pipeline)
        with pipeline.sql_client() as client:
            chosen = client.native_connection.get_dsn_parameters()
    assert {name: chosen.get(name) for name in KEEPALIVES} == {**KEEPALIVES, "keepalives_idle": "7"}
