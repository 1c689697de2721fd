"""What a look at the queue costs: `python -m sync_assets_tests.benchmark.queue [--runs 2000]`."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import dagster as dg

from sync_assets.lib.assets.sync_config import job_name, run_config
from sync_assets.lib.automation.in_progress import in_progress
from sync_assets.lib.automation.queue_tags import queue_tags
from sync_assets.lib.automation.run_requests import runs_below
from sync_assets.sources.promotions import API
from sync_assets.sources.rest.api import Parent
from sync_assets_tests.support.instances import local_instance

KEYS_A_RUN, MANY_KEYS = 50, 10_000
TAGS = queue_tags(API, partitioned=True)


def main() -> None:
    """Print the figures as lines of a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    runs = parser.parse_args().runs
    (parent,) = API.parents
    with tempfile.TemporaryDirectory() as folder, local_instance(Path(folder)) as instance:
        for first in range(runs):
            keys = map(str, range(first * KEYS_A_RUN, (first + 1) * KEYS_A_RUN))
            config = run_config(API, parent, dict.fromkeys(keys, ("users",)))
            instance.add_run(dg.DagsterRun(job_name(API, parent), run_config=config, tags=TAGS))
        for look in ("first look of a process", "each further look"):
            began = time.perf_counter()
            queue = in_progress(API, instance)
            print(f"| {runs:,} runs wait: {look} | {time.perf_counter() - began:.2f} s |")  # noqa: T201
            assert (queue.waiting, len(queue.lists)) == (runs, runs * KEYS_A_RUN)
    chosen = random.Random(11)
    for live, every in ((300, 1_000), (3_000, 10_000)):
        below = {str(k): ("users",) for k in chosen.sample(range(every), live)}
        count = len(list(runs_below(parent, below, {}, 0)))
        print(f"| {live:,} of {every:,} partitions live, at random | {count} runs |")  # noqa: T201
    _print_size(parent)


def _print_size(parent: Parent) -> None:
    """What a run of many keys takes in Dagster's storage, and until it is written and read."""
    below = {f"promotion_{key}": tuple(API.children(parent.resource)) for key in range(MANY_KEYS)}
    with tempfile.TemporaryDirectory() as folder, local_instance(Path(folder)) as instance:
        run = dg.DagsterRun(job_name(API, parent), run_config=run_config(API, parent, below))
        began = time.perf_counter()
        instance.add_run(run)
        found = instance.get_run_by_id(run.run_id)
        seconds = time.perf_counter() - began
        assert found is not None
        size = len(dg.serialize_value(found)) / 1024
        print(f"| a run of {MANY_KEYS:,} keys | {size:,.0f} kB, {seconds:.2f} s |")  # noqa: T201


if __name__ == "__main__":
    main()
