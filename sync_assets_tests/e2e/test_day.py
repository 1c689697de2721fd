"""A day in the life of a `dagster dev`, in minutes: tight quotas, and everything dies once."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sync_assets.lib.instance.run_process import RunProcess
from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support import dagster_world, graphql
from sync_assets_tests.support.dagster_world import assert_equal_to_the_account
from sync_assets_tests.support.dev import Dev, wait_for
from sync_assets_tests.support.project import copy_project
from sync_assets_tests.support.supervisor import Supervisor, supervised

pytestmark = pytest.mark.long

SCALE = Scale(
    promotions=8, event_series=3, users=10, participations=10, prizes=5, rankings=5,
    affiliates=20, coupons=20, referrals=20, orders=40, vouchers=3, voucher_codes=5,
)  # fmt: skip
QUOTAS = {"PROMOTIONS": "30", "AFFILIATES": "6", "EVENTS": "30"}
EAGER = {
    "AUTOMATION__SENSOR_INTERVAL": "5",
    "AUTOMATION__RETRY_AFTER": "0.2",
    "AUTOMATION__RETRY_AT_MOST": "0.5",
    "EXECUTION__COMMIT_EVERY": "10",
}
RUNS = """{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"""
A_WHILE = 180.0


def at_work(ui: Dev) -> list[tuple[str, RunProcess]]:
    """The runs that have started, and their processes."""
    try:
        found: list[dict[str, Any]] = ui.ask(RUNS)["runsOrError"]["results"]
    except (OSError, TypeError):  # it is down, or just coming up
        return []
    started = [run for run in found if run["status"] == "STARTED"]
    known = [(run["runId"], {tag["key"]: tag["value"] for tag in run["tags"]}) for run in started]
    processes = [(identity, RunProcess.of_run(identity, tags)) for identity, tags in known]
    return [(run, process) for run, process in processes if process and process.is_alive]


def test_all_that_dies_heals_without_a_hand(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    account = Account(seed=5, scale=SCALE, clock=lambda: 1.79e9)
    with Sandbox(account) as server:
        quotas = {f"SOURCES__{name}__REQUESTS_PER_MINUTE": n for name, n in QUOTAS.items()}
        variables = dagster_world.environment(server, folder / "warehouse.duckdb") | quotas | EAGER
        with supervised(folder, variables) as running:
            live_through_the_day(running)
            wait_for(lambda: is_equal(account, folder), 2 * A_WHILE, every=2)
    assert_equal_to_the_account(account, lambda table: rows(folder, table))


def live_through_the_day(running: Supervisor) -> None:
    """Each thing that can die does."""
    ui = running.ui

    def begun() -> list[tuple[str, RunProcess]]:
        return wait_for(lambda: at_work(ui) or None, A_WHILE)

    os.kill(begun()[0][1].pid, signal.SIGKILL)
    run, process = begun()[0]
    graphql.terminate(ui, run)
    wait_for(lambda: (not process.is_alive) or None, A_WHILE)
    begun()
    assert running.kill("code server")
    begun()
    starts = running.starts
    assert running.kill("daemon")
    wait_for(lambda: running.starts > starts or None, A_WHILE)
    begun()
    running.restart()
    wait_for(lambda: running.starts > starts + 1 or None, A_WHILE)


def is_equal(account: Account, folder: Path) -> bool | None:
    """Whether the warehouse holds what the account does."""
    try:
        assert_equal_to_the_account(account, lambda table: rows(folder, table))
    except (AssertionError, duckdb.CatalogException):
        return None
    return True


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """All rows of `dataset.table`."""
    database = folder / "warehouse.duckdb"
    with single_writer(database, silent), duckdb.connect(str(database)) as connection:
        found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our names
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
