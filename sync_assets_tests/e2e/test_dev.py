"""`dagster dev` on a fresh clone: twenty tables without a click, and history that survives."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets_tests.support import dagster_world
from sync_assets_tests.support.dev import dev
from sync_assets_tests.support.project import copy_project

pytestmark = pytest.mark.long

TWO_MINUTES = 120.0


def rows(folder: Path, dataset: str) -> int:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return len(connection.table(dataset).fetchall())


def test_a_fresh_clone_fills_itself_and_keeps_its_history(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    # a run that an hour's beginning adds would be ended with the first `dagster dev`, and fail
    never = {"AUTOMATION__TABLES_SCHEDULE": "0 0 1 1 *"}
    frozen = {"SANDBOX__NOW": "2026-03-01T12:00:00Z", **never}
    with dev(folder, frozen) as running:
        first = running.wait_for_everything(TWO_MINUTES)
    assert (folder / ".dagster").is_dir()
    held = rows(folder, "promotions_sandbox.users")
    assert held > 0
    with dev(folder, frozen) as running:
        again = running.wait_for_everything(60)
    before = {run["runId"] for run in first["runsOrError"]["results"]}
    assert before <= {run["runId"] for run in again["runsOrError"]["results"]}
    assert rows(folder, "promotions_sandbox.users") == held


def test_another_server_of_the_same_shapes_fills_the_real_datasets(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    account = Account(seed=5, scale=Scale(promotions=6, event_series=2), clock=lambda: 1.79e9)
    with Sandbox(account) as server:
        variables = dagster_world.environment(server, folder / "warehouse.duckdb")
        with dev(folder, variables) as running:
            running.wait_for_everything(TWO_MINUTES)
    assert rows(folder, "events.orders") == len(account.rows("events", "orders"))
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        schemas = {row[0] for row in connection.execute("SHOW ALL TABLES").fetchall()}
        names = {row[1] for row in connection.execute("SHOW ALL TABLES").fetchall()}
    assert not {name for name in schemas | names if name.endswith("_sandbox")}
