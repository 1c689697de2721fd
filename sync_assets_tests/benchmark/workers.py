"""How much faster a backfill is with more workers: one cluster for each number of them.

uv run python -m sync_assets_tests.benchmark.workers
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets_tests.support import graphql
from sync_assets_tests.support.cluster import Cluster, cluster
from sync_assets_tests.support.dagster_world import PARTITIONED
from sync_assets_tests.support.dev import wait_for

LATENCY = 0.05
PROMOTIONS = 48
SCALE = Scale(promotions=PROMOTIONS, users=200, participations=300, exact=True)
CHILDREN = [f"promotions/{name}" for name in PARTITIONED["promotions"][1]]
TIMES = """query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
  startTime endTime status
} } } }"""
PATIENCE = 600


HEADINGS = (
    "| promotions in a run | workers | seconds | speed-up | workers busy | rows/s |\n"
    "|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True, order=True)
class Backfill:
    """Seconds from the start of the first run to the end of the last, and those of all runs."""

    seconds: float
    working: float


@dataclass(frozen=True)
class Outcome:
    """The median of some backfills and the rows of one."""

    workers: int
    a_run: int
    median: Backfill
    rows: int

    def line(self, first: Outcome) -> str:
        """A row of the table, beside the first of its kind."""
        seconds = self.median.seconds
        busy = self.median.working / seconds / self.workers
        return (
            f"| {self.a_run} | {self.workers} | {seconds:.1f} | "
            f"{first.median.seconds / seconds:.2f} | {busy:.0%} | {self.rows / seconds:,.0f} |"
        )


def backfill(made: Cluster, keys: Sequence[str], runs_due: int) -> Backfill:
    """One backfill of all children."""
    tags = [{"key": "dagster/backfill", "value": made.backfill(CHILDREN, keys)}]

    def done() -> list[dict[str, Any]] | None:
        runs = made.ui.ask(TIMES, filter={"tags": tags})["runsOrError"]["results"]
        assert not [run for run in runs if run["status"] in ("FAILURE", "CANCELED")], runs
        over = [run for run in runs if run["status"] == "SUCCESS"]
        return over if len(over) == runs_due else None

    runs = wait_for(done, PATIENCE)
    spans = [(float(run["startTime"]), float(run["endTime"])) for run in runs]
    return Backfill(
        seconds=max(end for _, end in spans) - min(start for start, _ in spans),
        working=sum(end - start for start, end in spans),
    )


def measure(workers: int, a_run: int, latency: float, rounds: int) -> Outcome:
    """Backfills of one cluster, after a first one: tables are made and workers are warm."""
    account = Account(scale=SCALE)
    keys = account.parents("promotions", "users")
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(account, latency=latency) as sandbox,
        cluster(Path(folder), sandbox, workers, EXECUTION__PARTITIONS_PER_RUN=str(a_run)) as made,
    ):
        graphql.add_partitions(made.ui, "promotions", keys)
        done = [backfill(made, keys, PROMOTIONS // a_run) for _ in range(rounds + 1)][1:]
        rows = sum(len(made.rows(asset.replace("/", "."))) for asset in CHILDREN)
    return Outcome(workers, a_run, sorted(done)[rounds // 2], rows)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument(
        "--a-run", type=int, nargs="+", default=[12, 4], help="promotions a run, parts of 48"
    )
    parser.add_argument("--latency", type=float, default=LATENCY)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends, too
    print(HEADINGS)  # noqa: T201
    for a_run in options.a_run:
        outcomes = []
        for workers in options.workers:
            outcomes.append(measure(workers, a_run, options.latency, options.rounds))
            print(outcomes[-1].line(outcomes[0]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
