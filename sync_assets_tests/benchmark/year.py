"""How storage grows with the hours: `python -m sync_assets_tests.benchmark.year`.

Real runs on a clock that moves with each: the tables every `--step` hours, the partitions every
night, `retention` every so many midnights. What Dagster and dlt stamp by the real clock is set to
it. As it stands it plays a year of hours, which takes two.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.runs.schema import RunsTable

from sync_assets.base import times
from sync_assets.warehouse.state import ledger
from sync_assets_tests.support.dagster_world import LOADED, PARTITION_SENSOR, DagsterRuns
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.leftovers import left_behind
from sync_assets_tests.support.world import World, new_world

START = datetime(2020, 1, 1, tzinfo=timezone.utc)
PROMOTIONS, BRANDS, USERS = 5, 2_000, 1_000
TABLES = ("promotions/promotions", "promotions/organizing_brands")


@dataclass(frozen=True)
class Day:
    """What there is at the end of a day; sizes in kilobytes, the memory of the process in MB."""

    day: int
    runs: int
    events: int
    evaluations: int
    dagster_kb: int
    loads: int
    schemas: int
    warehouse_kb: int
    scratch: int
    peak_mb: int


def main() -> None:
    """Print a line for each day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--keep-days", type=int, default=30)
    parser.add_argument("--retain-every", type=int, default=7, help="days")
    parser.add_argument("--step", type=int, default=1, choices=(1, 2, 3, 4, 6, 8, 12))
    arguments = parser.parse_args()
    names = " | ".join(field.name for field in fields(Day))
    print(f"| {names} |")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for day in play(Path(folder), **vars(arguments)):
            print(f"| {' | '.join(map(str, astuple(day)))} |", flush=True)  # noqa: T201


def play(folder: Path, *, days: int, keep_days: int, retain_every: int, step: int) -> Iterator[Day]:
    """Live through so many days; what there is at the end of each."""
    scratch = folder / "scratch"
    for name in (scratch, folder / "dagster"):
        name.mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        new_world(folder) as world,
        local_instance(folder / "dagster") as instance,
    ):
        patch.setattr(tempfile, "tempdir", str(scratch))
        patch.setattr(ledger, "KEEP", timedelta(days=keep_days))
        world.api.page_size = max(BRANDS, USERS)
        runs = DagsterRuns(instance)
        for hour in range(0, 24 * days, step):
            now = START + timedelta(hours=hour)
            patch.setattr(times, "now", lambda now=now: now)
            _sync(world, runs, hour)
            if hour % (24 * retain_every) == 0:
                _retain(runs, keep_days)
            _set_back(world, instance, now)
            if (hour + step) % 24 == 0:
                yield _look(world, instance, scratch, hour // 24 + 1)


def _sync(world: World, runs: DagsterRuns, hour: int) -> None:
    """The lists have changed, and are synced; those of users once a day."""
    world.api.seen.clear()
    lists = world.api.lists
    lists["/promotions"] = [{"id": str(n), "title": f"{hour}"} for n in range(PROMOTIONS)]
    lists["/organizing_brands"] = _records(BRANDS, hour)
    assert runs.run(*TABLES).success
    if hour == 0:
        runs.tick(PARTITION_SENSOR)
    if hour % 24 == 0:
        lists.update({f"/users/{n}": _records(USERS, hour) for n in range(PROMOTIONS)})
        assert runs.run_range("promotions", "promotions/users").success


def _retain(runs: DagsterRuns, keep_days: int) -> None:
    config = {"config": {"dry_run": False, "keep_days": keep_days}}
    job = LOADED.resolve_job_def("retention")
    run_config = {"ops": {"remove_old_runs": config}}
    assert job.execute_in_process(run_config=run_config, instance=runs.instance).success


def _records(number: int, hour: int) -> list[dict[str, Any]]:
    return [{"id": str(n), "name": f"name {n} at {hour}"} for n in range(number)]


def _set_back(world: World, instance: dg.DagsterInstance, now: datetime) -> None:
    plain = now.replace(tzinfo=None)
    real = RunsTable.update().where(RunsTable.c.update_timestamp > plain)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(real.values(update_timestamp=plain, create_timestamp=plain))
    for table in ("_dlt_loads", "_dlt_version"):
        world.query(
            f"UPDATE promotions.{table} SET inserted_at = ? WHERE inserted_at > ?",  # noqa: S608
            now,
            now,
        )


def _look(world: World, instance: dg.DagsterInstance, scratch: Path, day: int) -> Day:
    def count(table: str) -> int:
        with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar())  # noqa: S608

    def rows(table: str) -> int:
        return int(world.query(f"SELECT count(*) AS n FROM promotions.{table}")[0]["n"])  # noqa: S608

    files = [path for path in (world.folder / "dagster").rglob("*") if path.is_file()]
    return Day(
        day=day,
        runs=instance.get_runs_count(),
        events=count("event_logs"),
        evaluations=count("asset_check_executions"),
        dagster_kb=sum(path.stat().st_size for path in files) // 1024,
        loads=rows("_dlt_loads"),
        schemas=rows("_dlt_version"),
        warehouse_kb=(world.folder / "warehouse.duckdb").stat().st_size // 1024,
        scratch=len(left_behind(scratch.iterdir())),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


if __name__ == "__main__":
    main()
