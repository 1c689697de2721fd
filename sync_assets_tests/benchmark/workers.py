"""How much faster a backfill is with more workers: one cluster for each number of them.

uv run python -m sync_assets_tests.benchmark.workers --workers 1 2 4
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets_tests import graphql
from sync_assets_tests.cluster import Cluster, cluster
from sync_assets_tests.dagster_world import PARTITIONED

LATENCY = 0.05
PROMOTIONS = 48
SCALE = Scale(promotions=PROMOTIONS, users=200, participations=300, exact=True)
CHILDREN = [f"promotions/{name}" for name in PARTITIONED["promotions"][1]]
TIMES = """query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
  startTime endTime status
} } } }"""
PATIENCE = 600


@dataclass(frozen=True)
class Outcome:
    """Seconds from the start of the first run to the end of the last, and rows."""

    workers: int
    a_run: int
    seconds: float
    rows: int

    def line(self, first: Outcome) -> str:
        """A row of the table."""
        speed = first.seconds / self.seconds
        return (
            f"| {self.a_run} | {self.workers} | {self.seconds:.1f} | {speed:.2f} | "
            f"{self.rows / self.seconds:,.0f} |"
        )


def backfill(made: Cluster, keys: Sequence[str], runs_due: int) -> float:
    """One backfill; its seconds."""
    identity = made.backfill(CHILDREN, keys)
    status = made.wait_for_backfill(identity, PATIENCE)
    assert status == "COMPLETED_SUCCESS", status
    tags = [{"key": "dagster/backfill", "value": identity}]
    runs = made.ui.ask(TIMES, filter={"tags": tags})["runsOrError"]["results"]
    assert len(runs) == runs_due
    ended = max(run["endTime"] for run in runs)
    return float(ended - min(run["startTime"] for run in runs))


def measure(workers: int, a_run: int, latency: float) -> Outcome:
    """The second backfill of a cluster: tables are made and workers are warm."""
    account = Account(scale=SCALE)
    keys = account.parents("promotions", "users")
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(account, latency=latency) as sandbox,
        cluster(Path(folder), sandbox, workers, EXECUTION__PARTITIONS_PER_RUN=str(a_run)) as made,
    ):
        graphql.add_partitions(made.ui, "promotions", keys)
        backfill(made, keys, PROMOTIONS // a_run)
        seconds = backfill(made, keys, PROMOTIONS // a_run)
        rows = sum(len(made.rows(asset.replace("/", "."))) for asset in CHILDREN)
    return Outcome(workers, a_run, seconds, rows)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--a-run", type=int, default=12, help="promotions a run, a part of 48")
    parser.add_argument("--latency", type=float, default=LATENCY)
    options = parser.parse_args()
    outcomes = []
    for workers in options.workers:
        outcomes.append(measure(workers, options.a_run, options.latency))
        print(outcomes[-1].line(outcomes[0]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
