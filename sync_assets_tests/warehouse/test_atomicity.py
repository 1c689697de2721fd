"""A load that fails half-way leaves the old rows, of partitioned and of whole tables alike."""

from __future__ import annotations

import pytest

from sync_assets_tests.support.world import World


def break_table(world: World, table: str) -> None:
    """Make an INSERT of several rows into a table fail: all have one value of a unique column."""
    world.query(f"ALTER TABLE {table} ADD COLUMN broken INTEGER DEFAULT -1")
    world.query(f"UPDATE {table} SET broken = CAST(id AS INTEGER)")  # noqa: S608 - our names
    world.query(f"CREATE UNIQUE INDEX broken ON {table} (broken)")


@pytest.mark.parametrize(
    ("source", "resource", "path", "parents"),
    [
        pytest.param(
            "promotions", "organizing_brands", "/organizing_brands", None, marks=pytest.mark.long
        ),
        ("promotions", "stages", "/stages/1", {"promotions": ["1"]}),
        ("affiliates", "coupons", "/v1/coupons", None),
    ],
)
def test_a_load_that_fails_leaves_the_old_rows(
    world: World, source: str, resource: str, path: str, parents: dict[str, list[str]] | None
) -> None:
    world.api.lists[path] = [{"id": n} for n in range(5)]
    world.sync(source, resource, parents=parents)
    old = world.ids(f"{source}.{resource}")
    break_table(world, f"{source}.{resource}")
    world.api.lists[path] = [{"id": n} for n in range(100, 108)]
    (listing,) = world.sync(source, resource, parents=parents).values()
    assert "It keeps the rows it had" in str(listing.error)
    assert world.ids(f"{source}.{resource}") == old


@pytest.mark.long
@pytest.mark.parametrize(
    "drop", ["DROP TABLE {} CASCADE", "ALTER TABLE {} DROP COLUMN name CASCADE"]
)
def test_what_somebody_dropped_comes_back_with_the_next_sync(world: World, drop: str) -> None:
    world.api.lists["/organizing_brands"] = [{"id": "1", "name": "one"}]
    for _ in range(2):
        assert world.sync("promotions", "organizing_brands")["organizing_brands"].error is None
        assert world.rows("promotions.organizing_brands") == [{"id": "1", "name": "one"}]
        world.query(drop.format("promotions.organizing_brands"))
