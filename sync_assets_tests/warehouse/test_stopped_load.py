"""Ctrl-C in the middle of a load: what executes in the warehouse is cancelled and rolled back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import dlt
import pytest

from sync_assets.base import stop
from sync_assets.warehouse.connection.destination import database_file, open_pipeline
from sync_assets.warehouse.connection.driver_errors import translate_errors
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.benchmark.growth import serving
from sync_assets_tests.support.dev import wait_for
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.project import ROOT
from sync_assets_tests.support.world import World

MILLION = 1_000_000
PARENT = "0"
SOON = 30.0  # on a busy machine
PACKAGE = "sync_assets-*/promotions/load/normalized/*"
#: Sights in the scratch folder, and how many seconds later the signal comes.
MOMENTS = {
    "normalize": ("sync_assets-*/promotions/normalize/extracted/*", 0.5),
    "copy": (f"{PACKAGE}/started_jobs/participations.*", 0.5),
    "merge": (f"{PACKAGE}/started_jobs/*.sql", 0.3),
}
COMMAND = ["-m", "sync_assets", "promotions", "--partition", PARENT]


@pytest.fixture(scope="module")
def million() -> Iterator[str]:
    with serving(MILLION) as url:
        yield url


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """A warehouse that holds three rows."""
    if request.param == "duckdb":
        yield synced(world)
        return
    with own_database() as database:
        yield synced(PostgresWorld.over(world, database))


def synced(world: World) -> World:
    with serving(3) as url:
        world.configure("promotions", base_url=url, requests_per_minute=0)
        world.sync("promotions", "participations", parents={"promotions": [PARENT]})
    return world


def stopped(world: World, sight: str, later: float) -> tuple[float, int, str]:
    """Seconds that the command line took to end, its exit code, and what it printed."""
    scratch = world.folder / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        [sys.executable, *COMMAND], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            wait_for(lambda: any(scratch.glob(sight)) or None, 300, every=0.01)
            time.sleep(later)
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=120)
            return time.monotonic() - started, process.returncode, output
        finally:
            process.kill()


SLOW = {
    "duckdb": "SELECT count(*) FROM range(100000000000) AS t(n) WHERE n % 7 = 8",
    "postgres": "SELECT pg_sleep(60)",
}


def interrupted(work: Callable[[dlt.Pipeline], None]) -> float:
    """Seconds that work with a pipeline took which a signal met after 0.4 s."""
    with (  # noqa: PT012 - nothing of it is raised by anything but the signal
        pytest.raises(KeyboardInterrupt),
        stop.stoppable(),
        open_pipeline("promotions", "promotions") as pipeline,
        single_writer(database_file(pipeline), silent),
    ):
        threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        work(pipeline)
    return time.monotonic() - started


def execute(pipeline: dlt.Pipeline) -> None:
    """Begin what takes more than a minute."""
    kind = os.environ["DESTINATION__WAREHOUSE__DESTINATION_TYPE"]
    with pipeline.sql_client() as client:
        client.execute_sql(SLOW[kind])


def test_a_statement_of_the_main_thread_is_cancelled(warehouse: World) -> None:
    def work(pipeline: dlt.Pipeline) -> None:
        with translate_errors("promotions"):
            execute(pipeline)

    assert interrupted(work) < SOON


def test_a_statement_of_another_thread_is_cancelled(warehouse: World) -> None:
    errors: list[str] = []
    ended = threading.Event()

    def work(pipeline: dlt.Pipeline) -> None:
        def in_a_thread() -> None:
            try:
                execute(pipeline)
            except BaseException as error:  # noqa: BLE001 - each driver has its own
                errors.append(repr(error))
            ended.set()

        threading.Thread(target=in_a_thread, daemon=True).start()
        try:
            ended.wait(SOON)
        finally:
            ended.wait(SOON)

    assert interrupted(work) < SOON
    (error,) = errors
    said = ("Interrupt", "canceling", "Stopped")  # the last where it had not begun yet
    assert any(word in error for word in said), error


def test_nothing_is_begun_after_a_stop_but_to_clean_up(warehouse: World) -> None:
    begun: list[str] = []
    ended = threading.Event()

    def begin(pipeline: dlt.Pipeline) -> None:
        with suppress(KeyboardInterrupt), pipeline.sql_client():
            begun.append(threading.current_thread().name)
        ended.set()

    def work(pipeline: dlt.Pipeline) -> None:
        try:
            time.sleep(SOON)
        finally:
            threading.Thread(target=begin, args=(pipeline,), daemon=True).start()
            assert ended.wait(SOON)
            begin(pipeline)

    interrupted(work)
    assert begun == [threading.main_thread().name]


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_load_of_a_million_rows_is_rolled_back(
    warehouse: World, million: str, moment: str
) -> None:
    warehouse.configure("promotions", base_url=million)
    seconds, code, output = stopped(warehouse, *MOMENTS[moment])
    print(f"{moment}: {seconds:.2f} s")  # noqa: T201
    assert code == 130, output
    assert "stopped" in output
    assert "Traceback" not in output, output
    assert seconds < SOON, output
    assert_as_before(warehouse)


def assert_as_before(world: World) -> None:
    """The three rows, no staging, no scratch, no lock."""
    rows = world.query("SELECT count(*) AS n FROM promotions.participations")
    assert rows == [{"n": 3}]
    left = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '%staging%'"
    assert world.query(left) == []
    assert list((world.folder / "scratch").glob("sync_assets-????????")) == []
    with single_writer(Path(world.folder / "warehouse.duckdb"), silent, patience=1):
        pass


FAULTS: dict[str, str] = {
    f"Ctrl-C while a million rows are in: {name}": (
        "cancelled and rolled back within seconds, with 130; the table is as it was"
    )
    for name in MOMENTS
}
