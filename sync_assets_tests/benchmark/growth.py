"""What size costs: `python -m sync_assets_tests.benchmark.growth` prints it as a table.

Rows in one list, partitions in one sync, rows around one partition: each synced into DuckDB by a
process of its own, whose peak memory is told above that of a sync of one row. The server, which
makes its rows as they are asked for, runs beside it on the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sync_assets_tests.benchmark.table import machine
from sync_assets_tests.support.project import OURS, ROOT

RESOURCE = "participations"
PAGE = 1_000
HEADINGS = "| what | size | seconds | MB above one row | per second |\n|---|--:|--:|--:|--:|"


@dataclass(frozen=True)
class Figures:
    """One sync: its rows, and what it took in seconds and MB."""

    rows: int
    seconds: float
    memory: float


def main() -> None:
    """Print the table; one line of it, as JSON, where it says which sync to run."""
    parser = argparse.ArgumentParser("growth", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--partitions", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--table", type=int, nargs="*", default=[5_000_000])
    options = parser.parse_args()
    print(f"{machine()}\n\n{HEADINGS}")  # noqa: T201
    empty = measure(1, 1)
    for rows in options.rows:
        tell("rows in one list", rows, measure(rows, 1), empty)
    for partitions in options.partitions:
        tell("partitions of 3 rows in one sync", partitions, measure(3, partitions), empty)
    for rows in options.table:
        tell("rows around one partition of 1,000", rows, measure(1_000, 1, around=rows), empty)


def tell(what: str, size: int, figures: Figures, empty: Figures) -> None:
    """Print a line of the table."""
    memory = f"{figures.memory - empty.memory:.0f}"
    speed = f"{figures.rows / figures.seconds:,.0f} rows"
    print(f"| {what} | {size:,} | {figures.seconds:.1f} | {memory} | {speed} |", flush=True)  # noqa: T201


def measure(rows: int, partitions: int, around: int = 0) -> Figures:
    """Sync lists of so many rows below so many parents, into a table that holds others."""
    parents = [str(n) for n in range(1, partitions + 1)]
    with tempfile.TemporaryDirectory(prefix="growth-") as folder, serving(rows) as base_url:
        environment = _environment(base_url, Path(folder))
        if around:
            _in_a_process(environment, parents)
            _fill(Path(folder) / "growth.duckdb", around)
        figures = _in_a_process(environment, parents)
    if figures.rows != rows * partitions:
        raise AssertionError(f"{figures.rows} rows of {rows * partitions}")
    return figures


@contextmanager
def serving(rows: int) -> Iterator[str]:
    """The base URL of lists of so many rows."""
    command = [sys.executable, "-m", "sync_assets_tests.benchmark.long_lists", str(rows), str(PAGE)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate()


def sync_here(parents: Sequence[str]) -> Figures:
    """Sync in this process, and look at it."""
    from sync_assets.sources.promotions import API
    from sync_assets.warehouse.sync import Request, sync

    started = time.monotonic()
    result = sync(Request(API, [RESOURCE], {"promotions": parents}))
    seconds = time.monotonic() - started
    if failed := result.failed():
        raise AssertionError(failed[0].error)
    rows = sum(listing.rows for listing in result.complete())
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Figures(rows, seconds, kilobytes / 1024)


def _in_a_process(environment: dict[str, str], parents: Sequence[str]) -> Figures:
    code = (
        "import json, sys; from dataclasses import asdict;"
        "from sync_assets_tests.benchmark.growth import sync_here;"
        "print(json.dumps(asdict(sync_here(json.load(sys.stdin)))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(parents),
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def _fill(database: Path, rows: int) -> None:
    """Copy the one partition that is there as often as it takes."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            f"INSERT INTO promotions.{RESOURCE} "  # noqa: S608 - our names
            "SELECT p.* REPLACE ('other-' || n AS promotion_id) "
            f"FROM promotions.{RESOURCE} p, range(?) AS copies(n)",
            [rows // 1_000],
        )


def _environment(base_url: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {
        **kept,
        "SOURCES__PROMOTIONS__BASE_URL": base_url,
        "SOURCES__PROMOTIONS__BEARER_TOKEN": "nobody-asks-for-it",
        "SOURCES__PROMOTIONS__REQUESTS_PER_MINUTE": "0",
        "DESTINATION__WAREHOUSE__DESTINATION_TYPE": "duckdb",
        "DESTINATION__WAREHOUSE__CREDENTIALS": str(folder / "growth.duckdb"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


if __name__ == "__main__":
    main()
