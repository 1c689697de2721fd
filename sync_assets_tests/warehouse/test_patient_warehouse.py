"""A warehouse in use is waited for: by runs until it is free, by sensors for seconds."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import dagster as dg
import pytest

from sync_assets.warehouse import queries
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import state, table_stats
from sync_assets_tests.support.dagster_world import PARTITION_SENSOR, DagsterRuns
from sync_assets_tests.support.readers import reader
from sync_assets_tests.support.world import APIS, World


@pytest.fixture
def database(world: World) -> Path:
    world.api.lists["/promotions"] = [{"id": "1"}]
    world.sync("promotions", "promotions")
    return world.folder / "warehouse.duckdb"


def test_a_sensor_waits_for_a_foreign_reader_for_seconds_and_holds_nobody_up(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LOCK_TIMEOUT_SECONDS", 1.2)
    free: list[float] = []

    def another_sync() -> None:
        time.sleep(0.3)
        started = time.monotonic()
        with pytest.raises(WarehouseBusyError), single_writer(database, silent, patience=0.7):
            pass
        free.append(time.monotonic() - started)

    other = threading.Thread(target=another_sync)
    with reader(database, 60):
        other.start()
        started = time.monotonic()
        with pytest.raises(WarehouseBusyError, match="in use by another program"):
            state(APIS["promotions"])
        assert 1 < time.monotonic() - started < 30
        other.join()
    assert free[0] < 30


@pytest.mark.long
def test_the_lock_is_free_while_a_foreign_reader_is_waited_for(database: Path) -> None:
    said: list[str] = []
    with reader(database, 1.5), single_writer(database, said.append):
        pass
    assert len(said) == 1
    assert "Could not set lock" in said[0]


@pytest.mark.long
def test_a_tick_is_skipped_while_a_reader_has_the_file(
    runs: DagsterRuns, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runs.run("promotions/promotions").success
    monkeypatch.setattr(queries, "LOCK_TIMEOUT_SECONDS", 0.5)
    with reader(world.folder / "warehouse.duckdb", 60):
        result = runs.tick(PARTITION_SENSOR)
    assert isinstance(result, dg.SkipReason)
    assert "in use by another program" in str(result.skip_message)


@pytest.mark.long
def test_the_checks_of_a_run_wait_for_as_long_as_another_load_takes(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LOCK_TIMEOUT_SECONDS", 0.2)
    held, said = threading.Event(), list[str]()

    def load() -> None:
        with single_writer(database, silent):
            held.set()
            time.sleep(2.5)

    other = threading.Thread(target=load)
    other.start()
    held.wait()
    facts, _ = table_stats(APIS["promotions"], ["promotions"], said.append)
    other.join()
    assert facts["promotions"].rows == 1
    assert [message for message in said if "another sync is using it" in message]


FAULTS: dict[str, str] = {
    "a DuckDB reader is open while a sensor looks": "the tick is skipped after 5 s",
    "a DuckDB reader is open while a sync loads": "waited for, up to 300 s, and said",
    "another load while a run's checks are evaluated": "waited for, and said",
}
