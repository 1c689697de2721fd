"""`python -m sync_assets_tests.benchmark`: a table of medians and ratios, on anyone's machine."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sync_assets.sandbox import SECRETS

CONTENDERS = {
    "limit": "asyncio + httpx + orjson + DuckDB",
    "ours": "sync_assets",
    "plain_dlt": "dlt rest_api as people write it",
}
SIZES = ["--promotions", "50", "--users", "200", "--participations", "500", "--prizes", "100",
         "--rankings", "100", "--exact"]  # fmt: skip
ROWS = 50 * (200 + 500 + 100 + 100) + 50


def main() -> None:
    """Run each contender at each latency, several times in turn, and print the medians."""
    parser = argparse.ArgumentParser("benchmark", description=__doc__)
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 20, 50], help="milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    options = parser.parse_args()
    for latency in options.latency:
        with _Server(latency / 1000) as base_url:
            results = [_round(base_url, options.only) for _ in range(options.rounds)]
        _print(latency, results)


class _Server:
    """The sandbox in a process of its own, warmed up, so that nobody pays for making its rows."""

    def __init__(self, latency: float) -> None:
        self._latency = latency

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "sync_assets.sandbox", "--port", "0", *SIZES]
        self._process = subprocess.Popen(
            [*command, "--latency", str(self._latency)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        base_url = self._process.stdout.readline().split()[1]
        try:
            _contend("limit", base_url)
        except BaseException:
            self.__exit__()
            raise
        return base_url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _round(base_url: str, names: list[str]) -> dict[str, tuple[float, float]]:
    return {name: _contend(name, base_url) for name in names}


def _contend(name: str, base_url: str) -> tuple[float, float]:
    """Seconds from first request to last commit, and of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "sync_assets_tests.benchmark.contender", name, base_url,
             SECRETS["promotions"], str(Path(folder) / "benchmark.duckdb")],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        whole = time.perf_counter() - started
    result = json.loads(done.stdout.splitlines()[-1])
    if result["rows"] != ROWS:
        raise AssertionError(f"{name} is wrong: {result['rows']} rows of {ROWS}")
    return float(result["seconds"]), whole


def _print(latency: int, results: list[dict[str, tuple[float, float]]]) -> None:
    table = Table("contender", title=f"{ROWS:,} rows in 451 pages, {latency} ms a request")
    for heading in ("sync s", "x limit", "process s"):
        table.add_column(heading, justify="right")
    medians = {
        name: tuple(statistics.median(result[name][i] for result in results) for i in (0, 1))
        for name in results[0]
    }
    for name, (sync, whole) in medians.items():
        ratio = f"{sync / medians['limit'][0]:.2f}" if "limit" in medians else "-"
        table.add_row(CONTENDERS[name], f"{sync:.2f}", ratio, f"{whole:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
