"""A cluster on one machine: all processes of it apart, killed and restarted under load."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources import apis
from sync_assets_tests.support import graphql
from sync_assets_tests.support.cluster import INSTANCE, Cluster, cluster
from sync_assets_tests.support.dagster_world import PARTITIONED, assert_equal_to_the_account
from sync_assets_tests.support.dev import wait_for

pytestmark = pytest.mark.long

NOW = time.time()
SCALE = Scale(
    promotions=50, event_series=3, users=20, participations=30, prizes=5, rankings=10,
    affiliates=30, coupons=30, referrals=60, orders=160, vouchers=4,
)  # fmt: skip
CHILDREN = [f"promotions/{name}" for name in PARTITIONED["promotions"][1]]
AFFILIATES = [f"affiliates/{name}" for name in ("affiliates", "coupons", "referrals")]
WORKERS = ("worker-0", "worker-1")
LOADING = "sync_assets-*/promotions/load/normalized/*/started_jobs/*"
WHILE = 420  # longer than `start_timeout_seconds` of deploy/dagster.yaml


@dataclass
class Running:
    """A cluster and the account that it syncs."""

    account: Account
    sandbox: Sandbox
    cluster: Cluster

    def read_slowly(self) -> str:
        """Begin a run that waits for answers; gives its id once it has asked."""
        self.sandbox.delay(40)
        before = self.sandbox.requests
        run = graphql.launch(self.cluster.ui, AFFILIATES)
        wait_for(lambda: self.sandbox.requests > before or None, WHILE, every=0.2)
        return run

    def status(self, run: str) -> str:
        """The status of a run."""
        return str(graphql.run(self.cluster.ui, run)["status"])

    def scratch(self, worker: str = "*") -> list[str]:
        """The scratch folders of workers."""
        found = self.cluster.folder.glob(f"worker-{worker}/scratch/sync_assets-????????")
        return [str(path) for path in found]

    def assert_affiliates(self) -> None:
        """All tables of affiliates are exact."""
        for name in AFFILIATES:
            source, _, resource = name.partition("/")
            held = {row["id"] for row in self.cluster.rows(f"{source}.{resource}")}
            assert held == {row["id"] for row in self.account.rows(source, resource)}

    def backfill(self, *assets: str) -> str:
        """Begin to sync children of all promotions, of which the warehouse holds none."""
        for asset in assets:
            self.cluster.query(f"DELETE FROM {asset.replace('/', '.')} RETURNING 1")  # noqa: S608
        return self.cluster.backfill(assets, self.account.parents("promotions", "users"))

    def begun(self, backfill: str) -> bool | None:
        """Whether a run of a backfill is over, and others are not."""
        statuses = {run["status"] for run in self.cluster.runs_of(backfill)}
        return True if "SUCCESS" in statuses and statuses - {"SUCCESS"} else None

    def await_exact(self, backfill: str) -> None:
        """Wait until a backfill is over: all of it was done, and nothing but it."""
        assert self.cluster.wait_for_backfill(backfill, WHILE) == "COMPLETED_SUCCESS"
        assert_equal_to_the_account(self.account, self.cluster.rows)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A cluster of two workers that has synced nothing."""
    account = Account(seed=3, scale=SCALE, clock=lambda: NOW)
    folder = tmp_path_factory.mktemp("cluster")
    with Sandbox(account) as sandbox, cluster(folder, sandbox, len(WORKERS)) as made:
        yield Running(account, sandbox, made)


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
    split = made.runs_of(backfills[0])
    assert len(split) == 5
    assert set(made.shares(split)) == set(WORKERS)


def test_a_worker_killed_in_a_load_is_replaced(running: Running) -> None:
    made = running.cluster
    backfill = running.backfill(*CHILDREN)
    scratch = made.folder / "worker-1/scratch"
    wait_for(lambda: any(scratch.glob(LOADING)) or None, WHILE, every=0.001)
    made.kill("worker-1")
    running.await_exact(backfill)
    runs = made.runs_of(backfill)
    (lost,) = [run for run in runs if run["status"] == "FAILURE"]
    (again,) = [run for run in runs if run["tags"].get("dagster/parent_run_id") == lost["runId"]]
    assert made.executed_by(again) == "worker-0"
    made.start("worker-1")


def test_a_daemon_killed_in_a_backfill_goes_on_where_it_was(running: Running) -> None:
    made = running.cluster
    backfill = running.backfill(*CHILDREN[:2])
    wait_for(lambda: running.begun(backfill), WHILE)
    made.kill("daemon")
    made.start("daemon")
    running.await_exact(backfill)
    done = [run["tags"] for run in made.runs_of(backfill) if run["status"] == "SUCCESS"]
    assert len({tags["dagster/asset_partition_range_start"] for tags in done}) == len(done) == 5


def test_a_postgres_that_restarts_in_a_backfill_is_waited_for(running: Running) -> None:
    made = running.cluster
    backfill = running.backfill(*CHILDREN)
    wait_for(lambda: running.begun(backfill), WHILE)
    made.postgres.stop()
    time.sleep(3)
    made.postgres.start()
    running.await_exact(backfill)
    assert all(process.poll() is None for process in made.running.values())


def test_a_run_on_a_worker_is_terminated_and_not_tried_again(running: Running) -> None:
    run = running.read_slowly()
    graphql.terminate(running.cluster.ui, run)
    started = time.monotonic()
    wait_for(lambda: running.status(run) == "CANCELED" or None, 60, every=0.2)
    print(f"terminated: {time.monotonic() - started:.1f} s")  # noqa: T201
    running.sandbox.delay(0)
    assert running.scratch() == []
    again = graphql.launch(running.cluster.ui, AFFILIATES)
    assert running.cluster.wait_for_runs([again], WHILE) == {"SUCCESS"}
    parents = [one["tags"].get("dagster/parent_run_id") for one in running.cluster.runs()]
    assert run not in parents
    running.assert_affiliates()


def test_a_worker_that_is_to_end_ends_its_run_which_another_one_takes(running: Running) -> None:
    made = running.cluster
    run = running.read_slowly()
    name = made.executed_by(graphql.run(made.ui, run) | {"runId": run})
    worker = made.running.pop(name)
    worker.send_signal(signal.SIGTERM)
    started = time.monotonic()
    assert worker.wait(60) == 0
    print(f"worker: {time.monotonic() - started:.1f} s")  # noqa: T201
    running.sandbox.delay(0)
    assert running.scratch(name.removeprefix("worker-")) == []
    wait_for(lambda: again_done(made, run), WHILE)
    running.assert_affiliates()
    made.start(name)


def again_done(made: Cluster, run: str) -> bool | None:
    """Whether a run was tried again with success."""
    again = [one for one in made.runs() if one["tags"].get("dagster/parent_run_id") == run]
    return True if [one for one in again if one["status"] == "SUCCESS"] else None


def test_without_its_launcher_celery_executes_the_steps_of_a_run(tmp_path: Path) -> None:
    instance = re.sub(r"(?m)^run_launcher:\n(?:  .*\n)+", "", INSTANCE)
    assert instance != INSTANCE
    account = Account(seed=3, scale=SCALE, clock=lambda: NOW)
    executed = {"EXECUTION__EXECUTOR": "celery"}
    with Sandbox(account) as sandbox, cluster(tmp_path, sandbox, 1, instance, **executed) as made:
        run = graphql.launch(made.ui, ["affiliates/affiliates", "affiliates/coupons"])
        assert made.wait_for_runs([run], WHILE) == {"SUCCESS"}
        assert "Task execute_plan" in made.log("worker-0")
        assert "Task execute_job" not in made.log("worker-0")
        held = {row["id"] for row in made.rows("affiliates.coupons")}
    assert held == {row["id"] for row in account.rows("affiliates", "coupons")}
