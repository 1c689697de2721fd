"""Heads and sweeps of one list in two processes, and such that are killed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.killing import MOMENTS
from sync_assets_tests.support.postgres import PostgresWorld, own_database, require_server
from sync_assets_tests.support.processes import Task, Worker, together, workers
from sync_assets_tests.support.world import World, new_world
from sync_assets_tests.warehouse.test_heads import PAGE, Orders

pytestmark = pytest.mark.long
KILLS = Count("kill -9 of heads and sweeps", sample=6, full=100)
ROUNDS = Count("rounds of two heads beside a sweep, in three processes", sample=3, full=60)
WAREHOUSES = ["duckdb", "postgres"]
READS: tuple[Literal["sweep", "heads"], ...] = ("heads", "sweep")
Property = Callable[[str, object], None]


class Brands(Orders):
    """A list that has earned heads and changes while others read it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.path, self.source, self.resource = (
            "/organizing_brands",
            "promotions",
            "organizing_brands",
        )
        world.api.patience = 10**9
        world.api.lists[self.path] = []
        self.dice, self.version = random.Random(SEED), 0
        self.earn()

    def edit(self, position: int) -> None:
        """Let a record say something new."""
        self.version += 1
        self.rows[position] = {**self.rows[position], "status": str(self.version)}

    def said(self) -> dict[str, str]:
        """What the API says of each record."""
        return {row["id"]: row["status"] for row in list(self.rows)}

    def table(self) -> dict[str, str]:
        """What the table says of each."""
        sql = "SELECT id, status FROM promotions.organizing_brands"
        database = None if isinstance(self.world, PostgresWorld) else self.database
        with single_writer(database, silent):
            rows = self.world.query(sql)
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: row["status"] for row in rows}

    @property
    def database(self) -> Path:
        """The file of the warehouse."""
        return self.world.folder / "warehouse.duckdb"


def task(read: Literal["sweep", "heads"]) -> Task:
    """One sync of the list."""
    return Task("promotions", ["organizing_brands"], read=read)


TASKS = [task("sweep"), task("heads"), task("heads")]


@pytest.fixture(params=WAREHOUSES)
def brands(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Brands]:
    """The list in a warehouse of the test's own."""
    if request.param == "postgres":
        require_server()
        with new_world(tmp_path) as made, own_database() as database:
            yield Brands(PostgresWorld.over(made, database))
        return
    with new_world(tmp_path) as made:
        yield Brands(made)


@KILLS
def test_a_killed_head_or_sweep_leaves_all_or_nothing(
    brands: Brands, record_property: Property
) -> None:
    scratch = brands.world.folder / "scratch"
    scratch.mkdir()
    fates = Counter[str]()
    upcoming = Worker(scratch)
    for number in range(KILLS.size):
        victim, upcoming = upcoming, Worker(scratch)
        brands.sell(brands.dice.randint(1, 2 * PAGE))
        brands.edit(brands.dice.randint(0, PAGE - 1))
        before, read = brands.table(), READS[number % 2]
        victim.start(task(read))
        sight, longest = brands.dice.choice(MOMENTS)
        while victim.busy() and not any(scratch.glob(sight)):
            time.sleep(0.001)
        time.sleep(brands.dice.uniform(0, longest))
        is_over = not victim.busy()
        victim.kill()
        after = brands.table()
        assert after in (before, brands.said()), f"seed {SEED}, kill {number} of {read}"
        fates[f"{read} {'over' if is_over else 'written' if after != before else 'cut off'}"] += 1
        done = upcoming.sync(task("heads"))
        assert done.green, done
        assert brands.table() == brands.said(), f"seed {SEED}, after kill {number} of {read}"
    upcoming.kill()
    record_property("figures", dict(fates))
    over = fates["heads over"] + fates["sweep over"]
    assert KILLS.size - over >= KILLS.size // 10


@contextmanager
def changing(brands: Brands) -> Iterator[None]:
    """Let records come to the front and change after some requests, until the block ends.

    Fewer than three pages of them: as many pages without news would end a list.
    """
    left, lock = 2 * PAGE, threading.Lock()

    def change(body: Any) -> Any:
        nonlocal left
        with lock:
            if left and brands.dice.random() < 0.3:
                left -= 1
                brands.sell()
                brands.edit(brands.dice.randint(0, 2 * PAGE))
        return body

    brands.world.api.fail(brands.path, edit=change)
    try:
        yield
    finally:
        brands.world.api.heal()


@ROUNDS
def test_heads_beside_a_sweep_lose_nothing_and_let_nothing_fall_back(
    brands: Brands, record_property: Property
) -> None:
    scratch = brands.world.folder / "scratch"
    scratch.mkdir()
    brands.world.api.latency = 0.05
    said = Counter[str]()
    with workers(3, scratch) as made:
        for number in range(ROUNDS.size):
            gone = brands.rows.pop(brands.dice.randrange(len(brands.rows)))["id"]
            brands.edit(brands.dice.randint(0, PAGE - 1))
            least = brands.said()
            with changing(brands):
                done = together(list(zip(made, TASKS, strict=True)))
            assert all(one.green for one in done), f"seed {SEED}, round {number}: {done}"
            table = brands.table()
            assert gone not in table
            assert not [one for one in least if one not in table]
            older = [one for one, status in least.items() if _age(table[one]) < _age(status)]
            assert not older, f"seed {SEED}, round {number}"
            told = [message for one in done for message in one.said]
            said["caught up"] += any("a head was loaded" in one for one in told)
            said["head not loaded"] += any("another sync was loaded" in one for one in told)
        settled = made[0].sync(task("sweep"))
        assert settled.green
        assert brands.table() == brands.said()
    record_property("figures", dict(said))


def _age(status: Any) -> int:
    return int(status) if str(status).isdigit() else 0
