"""What many partitions cost: `python -m sync_assets_tests.benchmark.partitions [--keys 10000]`."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from sync_assets.base import times
from sync_assets.sources.promotions import API
from sync_assets.warehouse.connection.destination import database_file, open_pipeline
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.state.list_history import COLUMNS, SYNCS_TABLE
from sync_assets.warehouse.sync import Request, sync
from sync_assets.warehouse.tables import open_tables
from sync_assets_tests.support.instances import local_instance

LOAD = "from sync_assets.definitions import defs; defs().get_repository_def()"


def main() -> None:
    """Print the figures as lines of a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=10_000)
    keys = [str(n) for n in range(1, parser.parse_args().keys + 1)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DESTINATION__WAREHOUSE__CREDENTIALS"] = f"{folder}/warehouse.duckdb"
        fill(keys)
        with local_instance(Path(folder)) as instance:
            figures = measure(instance, keys, Path(folder))
    for name, figure in figures.items():
        print(f"| {name} | {figure} |")  # noqa: T201


def fill(keys: list[str]) -> None:
    """A warehouse in which all of these promotions run, and were synced yesterday."""
    os.environ["SANDBOX__PROMOTIONS"] = "1"
    sync(Request(API, ["promotions"]))
    yesterday = (times.now() - timedelta(days=1)).isoformat()
    children = API.children("promotions")
    with (
        open_pipeline(API.name, dataset_of(API)) as pipeline,
        single_writer(database_file(pipeline), silent),
        open_tables(pipeline) as tables,
    ):
        promotion = tables.rows("promotions", ["id", "title"])[0]
        tables.put("promotions", "id", [{**promotion, "id": key} for key in keys])
        history = dict.fromkeys(COLUMNS) | {"synced_at": yesterday, "rows": 1, "failures": 0}
        tables.put(
            SYNCS_TABLE,
            "list",
            [
                {**history, "list": f"{child}/{key}", "resource": child, "parent": key}
                for child in children
                for key in keys
            ],
        )


def measure(instance: dg.DagsterInstance, keys: list[str], folder: Path) -> dict[str, str]:
    """Ticks over all fresh and over all stale partitions, the load of the code, and memory."""
    from sync_assets.definitions import defs

    loaded = defs()
    repository = loaded.get_repository_def()

    def tick(sensor: str) -> dg.SensorResult:
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        result = loaded.resolve_sensor_def(sensor)(context)
        assert isinstance(result, dg.SensorResult), result
        return result

    instance.report_runless_asset_event(dg.AssetMaterialization(["promotions", "promotions"]))
    first, adding = timed(lambda: tick("promotions_promotions_partitions"))
    (added,) = first.dynamic_partitions_requests or []
    assert len(added.partition_keys) >= len(keys)
    instance.add_dynamic_partitions("promotions", keys)
    _, known = timed(lambda: tick("promotions_promotions_partitions"))
    fresh, idle = timed(lambda: tick("promotions_freshness"))
    real, tomorrow = times.now, times.now() + timedelta(days=1)
    times.now = lambda: tomorrow
    stale, busy = timed(lambda: tick("promotions_freshness"))
    times.now = real
    assert len(stale.run_requests or []) > len(fresh.run_requests or [])
    _, load = timed(lambda: subprocess.run([sys.executable, "-c", LOAD], check=True, cwd=folder))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "partitions": f"{len(keys):,}",
        "partition sensor, all keys new": f"{adding:.2f} s",
        "partition sensor, nothing new": f"{known:.2f} s",
        "freshness sensor, all fresh": f"{idle:.2f} s",
        "freshness sensor, all stale": f"{busy:.2f} s",
        "code location, whole process": f"{load:.1f} s",
        "memory of the process that ticks": f"{memory:.0f} MB",
    }


def timed(work: Callable[[], object]) -> tuple[Any, float]:
    """What some work gives, and the seconds it took."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
