"""dlt's own tables hold a month, and a sync after they were pruned goes on as before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_assets.base import times
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import World, new_world

NOTES = ("_dlt_loads", "_dlt_version")


def sync(world: World, version: int) -> None:
    """Load both ways, with a field that no earlier load had: that is a schema of its own."""
    world.api.lists["/organizing_brands"] = [{"id": str(version), f"field_{version}": version}]
    world.api.lists["/stages/1"] = [{"id": str(version)}]
    parents = {"promotions": ["1"]}
    listings = world.sync("promotions", "organizing_brands", "stages", parents=parents)
    assert [listing.error for listing in listings.values()] == [None, None]


def count(world: World) -> list[int]:
    sqls = [f"SELECT count(*) AS n FROM promotions.{table}" for table in NOTES]  # noqa: S608
    return [world.query(sql)[0]["n"] for sql in sqls]


def age(world: World, days: int) -> None:
    """All that dlt noted so far is this old."""
    for table in NOTES:
        world.query(
            f"UPDATE promotions.{table} SET inserted_at = ?",  # noqa: S608
            times.now() - timedelta(days=days),
        )


def tell(world: World) -> None:
    for version in range(5):
        sync(world, version)
    assert count(world) == [5, 5]
    age(world, 29)
    sync(world, 4)
    assert count(world) == [6, 5]
    age(world, 31)
    made = world.columns("promotions.organizing_brands")
    sync(world, 5)
    assert count(world) == [1, 1]
    assert world.columns("promotions.organizing_brands") == {**made, "field_5": "VARCHAR"}
    age(world, 31)
    sync(world, 2)  # a schema that is forgotten
    assert count(world) == [1, 1]
    assert world.ids("promotions.organizing_brands") == ["2"]
    assert world.ids("promotions.stages") == ["2"]


@pytest.mark.long
def test_notes_of_loads_are_kept_for_a_month(world: World) -> None:
    tell(world)


def test_the_newest_notes_stay_however_old_they_are(world: World) -> None:
    sync(world, 0)
    age(world, 400)
    sync(world, 0)
    assert count(world) == [1, 1]
    (load,) = world.query("SELECT schema_version_hash AS hash FROM promotions._dlt_loads")
    (version,) = world.query("SELECT version_hash AS hash FROM promotions._dlt_version")
    assert load == version


@pytest.mark.long
def test_notes_of_loads_are_kept_for_a_month_on_postgres(tmp_path: Path) -> None:
    with new_world(tmp_path) as made, own_database() as database:
        tell(PostgresWorld.over(made, database))
