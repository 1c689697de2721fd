"""A sync that dies, by kill -9 or for want of room, leaves old rows or new ones, never others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support.counts import Count
from sync_assets_tests.support.killing import Story, version_of
from sync_assets_tests.support.killing import records as versioned
from sync_assets_tests.support.processes import Task, Worker, workers
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long

NOBODY = 65534
KILLS = Count("kill -9 of a sync into DuckDB", sample=20, full=200)
BRANDS = Task("promotions", ["organizing_brands"])


def story(world: World) -> Story:
    """The story over a DuckDB file, read as every program of ours reads it."""

    def query(sql: str) -> list[dict[str, Any]]:
        with single_writer(world.folder / "warehouse.duckdb", silent):
            return world.query(sql)

    return Story(world, query, world.folder / "scratch")


def test_a_few_kills_leave_old_or_new_rows_and_the_next_sync_is_exact(world: World) -> None:
    told = story(world)
    with workers(4, told.scratch) as (first, *victims):
        told.settle(first)
        for victim in victims:
            told.kill(victim)
        told.settle(first)
    assert told.deaths["outside"] < len(victims)


@KILLS
def test_many_kills_leave_old_or_new_rows_and_the_next_sync_is_exact(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    told = story(world)
    with workers(1, told.scratch) as (first,):
        told.settle(first)
    upcoming = Worker(told.scratch)
    while told.deaths.total() - told.deaths["outside"] < KILLS.size:
        victim, upcoming = upcoming, Worker(told.scratch)
        told.settle(victim)
        told.kill(victim)
    told.settle(upcoming)
    upcoming.kill()
    record_property("figures", told.figures())
    each = KILLS.size // 40 * 2
    assert all(told.deaths[phase] >= each for phase in ("extract", "normalize", "load"))


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of this size, where the test may mount one."""
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        folder.rmdir()
        pytest.skip(f"no disk can be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(disk: Path, left: int) -> Path:
    """Fill a disk but for so many kilobytes."""
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - left * 1024))
    return filler


def brands(database: Path) -> list[tuple[str, str]]:
    """The rows of the table."""
    with single_writer(database, silent), duckdb.connect(str(database)) as connection:
        return connection.execute("SELECT id, name FROM promotions.organizing_brands").fetchall()


@pytest.mark.long
@pytest.mark.parametrize("left", [0, 64, 512, 1024, 2048, 4096])
@pytest.mark.parametrize("full", ["warehouse", "scratch"])
def test_a_full_disk_is_a_clear_error_and_the_old_rows_stay(
    world: World, full: str, left: int
) -> None:
    with small_disk(32) as disk:
        database = (disk if full == "warehouse" else world.folder) / "warehouse.duckdb"
        scratch = disk if full == "scratch" else world.folder
        credentials = {"DESTINATION__WAREHOUSE__CREDENTIALS": str(database)}
        world.api.page_size = 100_000
        with workers(1, scratch, **credentials) as (worker,):
            world.api.lists["/organizing_brands"] = versioned(1)
            assert worker.sync(BRANDS).green
            huge = [{"id": str(n), "name": f"{n}" * 50} for n in range(40_000)]
            world.api.lists["/organizing_brands"] = huge
            filler = fill(disk, left)
            done = worker.sync(BRANDS)
            message = f"{done.failure} {done.errors}".lower()
            assert not done.green
            assert "no space left" in message or "disk" in message, message
            filler.unlink()
            assert version_of(brands(database)) == 1
            world.api.lists["/organizing_brands"] = versioned(2)
            assert worker.sync(BRANDS).green
            assert version_of(brands(database)) == 2


@contextmanager
def others_folder() -> Iterator[Path]:
    """A folder that anybody may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def others_may_enter(folder: Path) -> bool:
    """Whether any user reaches a folder."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


@pytest.mark.skipif(
    os.geteuid() == 0 and not others_may_enter(Path(sys.prefix).resolve()),
    reason="root writes everywhere, and nobody else may read this interpreter",
)
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_warehouse_that_may_not_be_written_is_a_clear_error(world: World, what: str) -> None:
    with others_folder() as folder:
        database = folder / "warehouse.duckdb"
        world.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", str(database))
        world.api.lists["/organizing_brands"] = versioned(1)
        world.sync("promotions", "organizing_brands")
        Path(f"{database}.lock").unlink()
        asked = len(world.api.seen)
        (folder if what == "folder" else database).chmod(0o555 if what == "folder" else 0o444)
        user = NOBODY if os.geteuid() == 0 else None
        with others_folder() as scratch:
            worker = Worker(scratch, user)
            done = worker.sync(BRANDS)
            worker.kill()
        assert "DESTINATION__WAREHOUSE__CREDENTIALS" in (done.failure or ""), done
        assert str(database) in (done.failure or "")
        assert len(world.api.seen) == asked
        folder.chmod(0o777)
        assert version_of(brands(database)) == 1
