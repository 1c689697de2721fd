"""What Dagster's records of a run cost: `python -m sync_assets_tests.benchmark.events [--keys N]`.

One run of N partitions of one asset with tiny lists, on each storage; beside it the same sync
without Dagster.

Needs the Postgres of the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources.promotions import API
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.dagster_world import DagsterRuns, environment
from sync_assets_tests.support.storages import STORAGES

ASSET = dg.AssetKey(["promotions", "prizes"])
SCALE: Mapping[str, Any] = {"users": 1, "participations": 1, "prizes": 3, "rankings": 1}
HEADINGS = "| storage | events | run, s | sync alone, s | ms an event |\n|---|--:|--:|--:|--:|"


def main() -> None:
    """Run each storage in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000)
    parser.add_argument("--storage", choices=STORAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.storage:
        print(json.dumps(measure(options.storage)))  # noqa: T201
        return
    print(HEADINGS)  # noqa: T201
    account = Account(scale=Scale(promotions=options.keys, **SCALE, exact=True))
    with Sandbox(account) as sandbox:
        for storage in STORAGES:
            row = run(storage, sandbox)
            cost = (row["run"] - row["sync"]) / row["events"] * 1000
            print(  # noqa: T201
                f"| {storage} | {row['events']:,} | {row['run']:.1f} | "
                f"{row['sync']:.1f} | {cost:.1f} |"
            )


def run(storage: str, sandbox: Sandbox) -> dict[str, float]:
    """Measure a storage in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, "--storage", storage],
            env={**os.environ, **environment(sandbox, Path(folder) / "warehouse.duckdb")},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(storage: str) -> dict[str, float]:
    """Sync the parents, then all partitions of one child: in Dagster, and without it."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        with STORAGES[storage](Path(folder)) as instance:
            runs = DagsterRuns(instance)
            sync(Request(API, ["promotions"]))
            instance.report_runless_asset_event(dg.AssetMaterialization(["promotions"] * 2))
            runs.tick("promotions_promotions_partitions")
            keys = instance.get_dynamic_partitions("promotions")
            started = time.perf_counter()
            done = runs.run_range("promotions", ASSET.to_user_string())
            seconds = time.perf_counter() - started
            assert done.success
            assert instance.get_materialized_partitions(ASSET) == set(keys)
            events = len(instance.all_logs(done.run_id))
        started = time.perf_counter()
        sync(Request(API, [ASSET.path[-1]], {"promotions": keys}))
        return {"events": events, "run": seconds, "sync": time.perf_counter() - started}


if __name__ == "__main__":
    main()
