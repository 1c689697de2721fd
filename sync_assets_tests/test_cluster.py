"""A cluster on one machine: all processes of it apart, killed and restarted under load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources import apis
from sync_assets_tests import graphql
from sync_assets_tests.cluster import Cluster, cluster
from sync_assets_tests.dagster_world import PARTITIONED, assert_equal_to_the_account
from sync_assets_tests.dev import wait_for

pytestmark = pytest.mark.long

NOW = time.time()
SCALE = Scale(
    promotions=50, event_series=3, users=20, participations=30, prizes=5, rankings=10,
    affiliates=30, coupons=30, referrals=60, orders=160, vouchers=4,
)  # fmt: skip
CHILDREN = [f"promotions/{name}" for name in PARTITIONED["promotions"][1]]
WORKERS = ("worker-0", "worker-1")
LOADING = "sync_assets-*/promotions/load/normalized/*/started_jobs/*"
WHILE = 180


@dataclass
class Running:
    """A cluster and the account that it syncs."""

    account: Account
    cluster: Cluster

    @property
    def keys(self) -> list[str]:
        """The promotions."""
        return self.account.parents("promotions", "users")

    def backfill(self) -> str:
        """Begin to sync the children of all promotions, of which the warehouse holds none."""
        for name in CHILDREN:
            self.cluster.query(f"DELETE FROM {name.replace('/', '.')} RETURNING 1")  # noqa: S608
        return self.cluster.backfill(CHILDREN, self.keys)

    def await_exact(self, backfill: str) -> str:
        """Wait until a backfill is over and nothing else runs; gives its status."""
        status = self.cluster.wait_for_backfill(backfill, WHILE)
        self.cluster.wait_for_runs([run["runId"] for run in self.cluster.runs()], WHILE)
        assert_equal_to_the_account(self.account, self.cluster.rows)
        return status


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A cluster of two workers that has synced nothing."""
    account = Account(seed=3, scale=SCALE, clock=lambda: NOW)
    folder = tmp_path_factory.mktemp("cluster")
    with Sandbox(account) as sandbox, cluster(folder, sandbox, len(WORKERS)) as made:
        yield Running(account, made)


def test_a_backfill_is_split_over_the_workers_while_the_tables_load(running: Running) -> None:
    made, account = running.cluster, running.account
    backfills = []
    for partitions, (source, names) in PARTITIONED.items():
        keys = account.parents(source, names[0])
        graphql.add_partitions(made.ui, partitions, keys)
        backfills.append(made.backfill([f"{source}/{name}" for name in names], keys))
    tables = [
        graphql.launch(made.ui, [f"{source}/{name}" for name in api.unpartitioned()])
        for source, api in apis().items()
    ]
    assert [made.wait_for_backfill(one, WHILE) for one in backfills] == ["COMPLETED_SUCCESS"] * 2
    assert made.wait_for_runs(tables, WHILE) == {"SUCCESS"}
    assert_equal_to_the_account(account, made.rows)
    split = [run for run in made.runs() if run["tags"].get("dagster/backfill") == backfills[0]]
    assert len(split) == 5
    assert set(made.shares(split)) == set(WORKERS)


def test_a_worker_killed_in_a_load_is_replaced(running: Running) -> None:
    made = running.cluster
    backfill = running.backfill()
    scratch = made.folder / "worker-1/scratch"
    deadline = time.monotonic() + WHILE
    while not any(scratch.glob(LOADING)):
        assert time.monotonic() < deadline, "worker-1 loads nothing"
        time.sleep(0.001)
    made.kill("worker-1")
    assert running.await_exact(backfill) == "COMPLETED_SUCCESS"
    runs = [run for run in made.runs() if run["tags"].get("dagster/backfill") == backfill]
    (lost,) = [run for run in runs if run["status"] == "FAILURE"]
    (again,) = [r for r in runs if r["tags"].get("dagster/parent_run_id") == lost["runId"]]
    assert made.executed_by(again) == "worker-0"
    made.start("worker-1")


def test_a_daemon_killed_in_a_backfill_goes_on_where_it_was(running: Running) -> None:
    made = running.cluster
    backfill = running.backfill()
    wait_for(lambda: one_done(made, backfill), WHILE)
    made.kill("daemon")
    made.start("daemon")
    assert running.await_exact(backfill) == "COMPLETED_SUCCESS"
    runs = [run for run in made.runs() if run["tags"].get("dagster/backfill") == backfill]
    assert [run["status"] for run in runs] == ["SUCCESS"] * 5


def one_done(made: Cluster, backfill: str) -> bool | None:
    """Whether a run of a backfill is over, and others are not."""
    runs = [run for run in made.runs() if run["tags"].get("dagster/backfill") == backfill]
    statuses = {run["status"] for run in runs}
    return True if "SUCCESS" in statuses and statuses - {"SUCCESS"} else None


def test_postgres_restarts_under_a_backfill(running: Running) -> None:
    made = running.cluster
    backfill = running.backfill()
    wait_for(lambda: one_done(made, backfill), WHILE)
    made.postgres.stop()
    time.sleep(3)
    made.postgres.start()
    print(running.cluster.wait_for_backfill(backfill, 400))
    runs = [run for run in made.runs() if run["tags"].get("dagster/backfill") == backfill]
    for run in runs:
        print(
            run["runId"],
            run["status"],
            run["tags"].get("dagster/parent_run_id"),
            made.executed_by(run),
        )
    print({k: p.poll() for k, p in made.running.items()})
    import shutil

    shutil.rmtree("/tmp/clog", ignore_errors=True)
    shutil.copytree(made.folder, "/tmp/clog")
    assert running.await_exact(backfill) == "COMPLETED_SUCCESS"
