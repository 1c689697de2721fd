"""How runs share, survive and end: `python -m sync_assets_tests.benchmark.runs [fair|limit|kill]`.

Each in a real `dagster dev` over a sandbox with quotas, for some minutes:

fair    all three sources on at 30, 60 and 10 requests a minute; every minute the schedule requests
        the tables of affiliates, which are read in seconds: how long until they start?
limit   20 promotions at 30 requests a minute with a run limit of 60 s: how long until all is there?
kill    kill -9 of the code server and its run, as in a power cut: how long until the run is failed?
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets_tests.support import dagster_world, graphql
from sync_assets_tests.support.dev import Dev, dev, members, wait_for
from sync_assets_tests.support.project import copy_project

RUNS = """{ runsOrError(limit: 500) { ... on Runs { results {
  runId status creationTime startTime endTime tags { key value } assetSelection { path }
} } } }"""
SMALL = Scale(promotions=20, event_series=2, users=5, participations=5, prizes=5, rankings=5)


@dataclass
class World:
    """A `dagster dev`, its folder and its sandbox."""

    ui: Dev
    folder: Path
    sandbox: Sandbox

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the newest first; times in unix seconds."""
        found = self.ui.ask(RUNS)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def memory(self) -> tuple[int, float]:
        """The processes of runs, and the memory in MB that they have alone or share of."""
        found = [pid for pid, what in members(self.ui.process.pid).items() if "spawn_main" in what]
        return len(found), sum(map(_megabytes, found))


@contextmanager
def world(scale: Scale, limit: int, **variables: str) -> Iterator[World]:
    """A `dagster dev` whose runs may take so many seconds."""
    with tempfile.TemporaryDirectory(prefix="runs-") as name:
        folder = copy_project(Path(name))
        settings = folder / "dagster.yaml"
        given = "max_runtime_seconds: 14400"
        assert given in settings.read_text()
        settings.write_text(settings.read_text().replace(given, f"max_runtime_seconds: {limit}"))
        with Sandbox(Account(seed=5, scale=scale, clock=lambda: 1.79e9)) as sandbox:
            own = dagster_world.environment(sandbox, folder / "warehouse.duckdb")
            with dev(folder, own | variables) as ui:
                wait_for(lambda: graphql.loaded(ui) or None, 120)
                yield World(ui, folder, sandbox)


def quotas(**each: int) -> dict[str, str]:
    """The variables for so many requests a minute."""
    return {f"SOURCES__{name}__REQUESTS_PER_MINUTE".upper(): str(n) for name, n in each.items()}


def fair(minutes: float) -> None:
    """Print how long a short run waits, and the memory of the others."""
    every_minute = {"AUTOMATION__AFFILIATES__TABLES_SCHEDULE": "* * * * *"}
    tight = quotas(promotions=30, affiliates=60, events=10)
    with world(Scale(), 14_400, **tight, **every_minute) as made:
        most, ends = (0, 0.0), time.monotonic() + 60 * minutes
        while time.monotonic() < ends:
            most = max(most, made.memory(), key=lambda seen: seen[1])
            time.sleep(5)
        runs = made.runs()
    short = [run for run in runs if _source(run) == "affiliates"]
    now = time.time()
    delays = sorted((run["startTime"] or now) - run["creationTime"] for run in short)
    waiting = sum(run["status"] == "QUEUED" for run in runs)
    tell("runs of affiliates", str(len(delays)))
    tell("their delay, median and longest", f"{delays[len(delays) // 2]:.0f} s, {delays[-1]:.0f} s")
    tell("processes of runs, at most", f"{most[0]} with {most[1]:.0f} MB")
    tell("runs in the queue at the end", str(waiting))


def limit(minutes: float) -> None:
    """Print what is there after each minute, although no run may take longer than one."""
    eager = {"AUTOMATION__SENSOR_INTERVAL": "5", "EXECUTION__COMMIT_EVERY": "6"}
    tight = quotas(promotions=30, affiliates=1, events=1)
    with world(SMALL, 60, **tight, **eager) as made:
        lists = 5 * 20
        for minute in range(1, int(minutes) + 1):
            time.sleep(60)
            statuses = [run["status"] for run in made.runs() if _source(run) == "promotions"]
            synced = _synced(made.folder / "warehouse.duckdb")
            tell(f"minute {minute}", f"{synced} of {lists} lists, runs: {', '.join(statuses)}")
            if synced == lists:
                break


def kill(minutes: float) -> None:
    """Print how long a run whose process is gone counts as running."""
    with world(SMALL, 14_400, AUTOMATION__ENABLED="false", **quotas(events=3)) as made:
        run = graphql.launch(made.ui, ["events/orders", "events/vouchers", "events/products"])
        wait_for(lambda: graphql.process_of(made.ui, run), 120)
        time.sleep(5)
        started = time.monotonic()
        for pid, what in members(made.ui.process.pid).items():
            if "spawn_main" in what or "dagster api grpc" in what:
                os.kill(pid, signal.SIGKILL)
        wait_for(_failed(made, run), 60 * minutes)
        tell("run failed after", f"{time.monotonic() - started:.0f} s")


def _failed(made: World, run: str) -> Callable[[], bool | None]:
    return lambda: graphql.run(made.ui, run)["status"] == "FAILURE" or None


def _source(run: Mapping[str, Any]) -> str:
    return str(run["tags"].get("sync_assets/source"))


def _megabytes(pid: int) -> float:
    with suppress(OSError):  # it ended just now
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return 0.0


def _synced(database: Path) -> int:
    """The lists below promotions that were synced; 0 while the file is in use."""
    query = "SELECT count(*) FROM promotions._syncs WHERE parent IS NOT NULL AND synced_at > ''"
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            found = connection.execute(query).fetchone()
            return int(found[0]) if found else 0
    except (duckdb.IOException, duckdb.CatalogException):
        return 0


def tell(what: str, value: str) -> None:
    """Print a line of a table."""
    print(f"| {what} | {value} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser("runs", description=__doc__)
    parser.add_argument("what", choices=["fair", "limit", "kill"])
    parser.add_argument("--minutes", type=float, default=6)
    options = parser.parse_args()
    {"fair": fair, "limit": limit, "kill": kill}[options.what](options.minutes)
