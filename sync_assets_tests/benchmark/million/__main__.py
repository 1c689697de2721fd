"""A box office with a million tickets: `python -m sync_assets_tests.benchmark.million`.

The planner, the reader, the loads and the rate limiter are the project's own, the warehouse is a
DuckDB file. Played are the answers of the API, without a network, and the clock. Tables may be
five minutes old. Rows come to the front, old ones are edited and deleted, some come elsewhere.
What the warehouse shows is compared with the lists after each read. `--scale 0.02` is a fiftieth
of the account, whose days and windows are a fiftieth as long.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from sync_assets_tests.benchmark.million.figures import Figures
from sync_assets_tests.benchmark.million.office_day import office
from sync_assets_tests.benchmark.table import machine


def main() -> None:
    """Play the account, and print the table."""
    parser = argparse.ArgumentParser("million", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        office(Path(folder), given.scale, given.seed) as day,
    ):
        day.grow_up()
        grown, since = time.monotonic() - began, day.clock.now
        day.play(given.days)
        print(f"{machine()}\n\n| a million tickets | |\n|---|--:|")  # noqa: T201
        for row in Figures(day, since).rows():
            print(row)  # noqa: T201
    took = time.monotonic() - began
    print(f"| real time; until the first proof | {took / 60:.1f}; {grown / 60:.1f} min |")  # noqa: T201


if __name__ == "__main__":
    main()
