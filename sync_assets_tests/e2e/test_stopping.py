"""A run that waits for its rate limit, in a real `dagster dev`: it and all processes are ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from sync_assets.lib.instance.run_process import RunProcess
from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support import dagster_world, graphql
from sync_assets_tests.support.dev import Dev, dev, members, wait_for
from sync_assets_tests.support.project import copy_project

pytestmark = pytest.mark.long

SLOW = ["affiliates/affiliates", "affiliates/coupons", "affiliates/referrals"]
LOADED_AT_ONCE = ["promotions/promotions", "promotions/organizing_brands"]
SECONDS = 60.0  # on a busy machine; else 2 for a run, and 7 for `dagster dev`, as without a run


@dataclass
class Reading:
    """A `dagster dev` with a run that has read a few pages and waits for its rate limit."""

    ui: Dev
    folder: Path
    run: str
    process: RunProcess

    def scratch(self) -> list[str]:
        """The scratch folders that are there."""
        return [path.name for path in (self.folder / "scratch").glob("sync_assets-????????")]

    def tables(self) -> dict[str, int]:
        """The rows of each table of the source that is read, once nobody holds the warehouse."""
        database = self.folder / "warehouse.duckdb"
        with single_writer(database, silent, patience=1), duckdb.connect(str(database)) as asked:
            names = asked.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'affiliates'"
                " AND table_name NOT LIKE '\\_%' ESCAPE '\\'"
            ).fetchall()
            return {name: len(asked.table(f"affiliates.{name}").fetchall()) for (name,) in names}


@contextmanager
def reading(folder: Path) -> Iterator[Reading]:
    """Begin to read what three requests a minute do not read soon."""
    copy_project(folder)
    (folder / "scratch").mkdir()
    account = Account(seed=5, scale=Scale(promotions=6), clock=lambda: 1.79e9)
    with Sandbox(account) as server:
        variables = dagster_world.environment(server, folder / "warehouse.duckdb") | {
            "AUTOMATION__ENABLED": "false",
            "SOURCES__AFFILIATES__REQUESTS_PER_MINUTE": "3",
            "TMPDIR": str(folder / "scratch"),
        }
        with dev(folder, variables) as ui:
            wait_for(lambda: graphql.loaded(ui) or None, 120)
            run = graphql.launch(ui, SLOW)
            wait_for(lambda: server.requests == 3 or None, 120, every=0.1)
            process = graphql.process_of(ui, run)
            assert process is not None
            made = Reading(ui, folder, run, process)
            assert made.scratch()
            yield made


def seconds_until(over: Callable[[], bool]) -> float:
    """How long it takes until something is over."""
    started = time.monotonic()
    wait_for(lambda: over() or None, SECONDS, every=0.1)
    return time.monotonic() - started


def test_a_terminated_run_is_gone_within_seconds(tmp_path: Path) -> None:
    with reading(tmp_path) as made:
        graphql.terminate(made.ui, made.run)
        seconds = seconds_until(lambda: not made.process.is_alive)
        print(f"terminated: {seconds:.1f} s")  # noqa: T201
        canceled = {"CANCELED"}
        wait_for(lambda: ({graphql.run(made.ui, made.run)["status"]} == canceled) or None, SECONDS)
        assert made.scratch() == []
        assert made.tables() == {}
        again = graphql.launch(made.ui, LOADED_AT_ONCE)
        wait_for(lambda: graphql.run(made.ui, again)["status"] == "SUCCESS" or None, 90)


def ctrl_c(process: int) -> None:
    """What a terminal does: to all processes."""
    os.killpg(process, signal.SIGINT)


def terminate(process: int) -> None:
    """What a supervisor does: to the one that it started."""
    os.kill(process, signal.SIGTERM)


@pytest.mark.parametrize("end", [ctrl_c, terminate])
def test_nothing_survives_dagster_dev(tmp_path: Path, end: Callable[[int], None]) -> None:
    with reading(tmp_path) as made:
        leader = made.ui.process
        end(leader.pid)
        seconds = seconds_until(lambda: not members(leader.pid))
        print(f"{end.__name__}: {seconds:.1f} s")  # noqa: T201
        assert not made.process.is_alive
        leader.wait(1)
        assert made.scratch() == []
        assert made.tables() == {}
