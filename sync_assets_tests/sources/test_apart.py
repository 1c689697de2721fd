"""Syncs side by side in processes of their own, and one DuckDB file: all exact, none starved."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support.counts import Count
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.processes import Task, together, workers
from sync_assets_tests.support.world import World

EIGHT = Count("rounds of eight syncs at once into DuckDB", sample=3, full=30)
PAIRS = Count("two syncs of one list at once into DuckDB", sample=4, full=40)
WAIT = "waiting for warehouse.duckdb: another sync is using it"
KEEP_OPEN = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


def records(size: int, note: object) -> list[dict[str, Any]]:
    """Records that all bear a note."""
    return [{"id": n, "name": f"{note}"} for n in range(size)]


def users_of(*parents: str) -> Task:
    """A sync of the users of some promotions."""
    return Task("promotions", ["users"], {"promotions": parents})


def offer(world: World, parents: Sequence[str], note: object) -> None:
    """Lists of the three sources, each of its own size."""
    lists = world.api.lists
    lists.update({f"/users/{parent}": records(int(parent) + 1, note) for parent in parents})
    lists.update({"/v1/coupons": records(20, note), "/orders": records(30, note)})
    world.api.page_size = 100


def assert_exact(world: World, parents: Sequence[str], note: object) -> None:
    """Every table holds what its list does."""
    sql = "SELECT promotion_id, name, count(*) AS n FROM promotions.users GROUP BY ALL"
    found = {(row["promotion_id"], row["name"]): row["n"] for row in world.query(sql)}
    assert found == {(parent, str(note)): int(parent) + 1 for parent in parents}
    for table, size in {"affiliates.coupons": 20, "events.orders": 30}.items():
        rows = world.query(f"SELECT name, count(*) AS n FROM {table} GROUP BY ALL")  # noqa: S608
        assert rows == [{"name": str(note), "n": size}]


def crew_of(number: int) -> tuple[list[str], list[Task]]:
    """So many syncs: two of whole tables, the others of a promotion each, which come first."""
    parents = [str(n) for n in range(number - 2)]
    tables = [Task("affiliates", ["coupons"]), Task("events", ["orders"])]
    return parents, [*tables, *(users_of(parent) for parent in parents)]


@pytest.mark.long
def test_four_syncs_at_once_into_one_file_are_all_exact_and_say_that_they_wait(
    world: World,
) -> None:
    parents, tasks = crew_of(4)
    offer(world, parents, "new")
    with workers(4, world.folder) as crew:
        with single_writer(world.folder / "warehouse.duckdb", silent):
            for worker, task in zip(crew, tasks, strict=True):
                worker.start(task)
            assert all(worker.hear().startswith(WAIT) for worker in crew)
        assert all(worker.result().green for worker in crew)
    assert_exact(world, parents, "new")


@pytest.mark.long
@EIGHT
def test_eight_syncs_at_once_are_all_exact_and_none_starves(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    parents, tasks = crew_of(8)
    slowest, waits = 0.0, 0
    with workers(8, world.folder) as crew:
        for note in range(EIGHT.size):
            offer(world, parents, note)
            done = together(list(zip(crew, tasks, strict=True)))
            assert all(result.green for result in done), done
            assert_exact(world, parents, note)
            slowest = max(slowest, *(result.seconds for result in done))
            waits += sum(message.startswith(WAIT) for result in done for message in result.said)
    record_property("figures", f"slowest sync {slowest:.1f} s; {waits} waits said")
    assert waits
    assert slowest < 60


def test_a_foreign_program_that_holds_the_file_is_waited_for(world: World) -> None:
    offer(world, ["1"], "old")
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    file = str(world.folder / "warehouse.duckdb")
    command = [sys.executable, "-c", KEEP_OPEN, file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        offer(world, ["1"], "new")
        said: list[str] = []

        def hear(message: str) -> None:
            said.append(message)
            program.kill()

        found = world.sync("promotions", "users", parents={"promotions": ["1"]}, say=hear)
    assert [listing.error for listing in found.values()] == [None]
    assert len(said) == 1
    assert said[0].startswith("waiting for warehouse.duckdb: IO Error: Could not set lock on file")
    assert f"PID {program.pid}" in said[0]
    assert {row["name"] for row in world.query("SELECT name FROM promotions.users")} == {"new"}


@pytest.mark.long
@PAIRS
@pytest.mark.parametrize(
    ("task", "path"),
    [
        (users_of("1"), "/users/1"),
        (Task("promotions", ["organizing_brands"]), "/organizing_brands"),
    ],
)
def test_two_syncs_of_one_list_at_once_give_one_of_them(
    world: World, elsewhere: FakeApi, task: Task, path: str
) -> None:
    there = {"SOURCES__PROMOTIONS__BASE_URL": elsewhere.base_url("promotions")}
    world.api.page_size = elsewhere.page_size = 1000
    with workers(1, world.folder) as (here,), workers(1, world.folder, **there) as (other,):
        for n in range(PAIRS.size):
            world.api.lists[path], elsewhere.lists[path] = records(30 + n, "a"), records(50, n)
            done = together([(here, task), (other, task)])
            assert all(result.green for result in done), done
            sql = f"SELECT name, count(*) AS n FROM promotions.{task.resources[0]} GROUP BY ALL"  # noqa: S608
            assert world.query(sql) in ([{"name": "a", "n": 30 + n}], [{"name": str(n), "n": 50}])
