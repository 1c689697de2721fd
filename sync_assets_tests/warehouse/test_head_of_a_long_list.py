"""What the head of a long list costs: few requests, and no more memory than that of a short one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync_assets_tests.support.counts import Count
from sync_assets_tests.support.postgres import PostgresWorld, own_database, require_server
from sync_assets_tests.support.processes import Done, Task, workers
from sync_assets_tests.support.world import World, new_world

pytestmark = pytest.mark.long
ROWS = Count("rows of a list whose head is read", sample=10_000, full=500_000)
PAGE, SHORT, NEW = 100, 2_100, 99
SECONDS_A_REQUEST = 0.02
SWEEP = Task("promotions", ["organizing_brands"])
HEAD = Task("promotions", ["organizing_brands"], read="heads")


def records(first: int, count: int) -> list[dict[str, Any]]:
    """Records of some numbers, the newest first, of about 300 bytes."""
    return [
        {"id": str(n), "name": f"brand {n}", "text": f"{n:09}" * 24}
        for n in range(first + count - 1, first - 1, -1)
    ]


def head_of(world: World, rows: int) -> tuple[Done, int]:
    """Read the head of a list of so many rows, of which a few are new; and its requests."""
    api = world.api
    api.page_size, api.patience = PAGE, 10**9
    listed = api.lists["/organizing_brands"] = records(0, rows - 2)
    scratch = world.folder / "scratch"
    scratch.mkdir()
    with workers(1, scratch) as (sweeper,):
        for _ in range(3):
            assert sweeper.sync(SWEEP).green
            listed[:0] = records(len(listed), 1)
    api.latency = SECONDS_A_REQUEST
    with workers(1, scratch) as (reader,):
        assert reader.sync(HEAD).green
        listed[:0] = records(len(listed), NEW)
        api.seen.clear()
        done = reader.sync(HEAD)
    assert done.green, done
    assert done.rows == {"organizing_brands": len(listed)}
    return done, len(api.asked("/organizing_brands"))


@ROWS
@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_the_head_of_a_long_list_costs_what_that_of_a_short_one_does(
    tmp_path: Path, warehouse: str, record_property: Callable[[str, object], None]
) -> None:
    found = {}
    for rows in (SHORT, ROWS.size):
        folder = tmp_path / str(rows)
        folder.mkdir()
        with new_world(folder) as world:
            if warehouse == "duckdb":
                found[rows] = head_of(world, rows)
                continue
            require_server()
            with own_database() as database:
                found[rows] = head_of(PostgresWorld.over(world, database), rows)
    (short, _), (long, requests) = found.values()
    more = long.peak - short.peak
    record_property(
        "figures",
        f"{warehouse}: {requests} requests, {long.seconds:.1f} s, {short.seconds:.1f} s of "
        f"a short list, {more:+.0f} MB",
    )
    assert requests <= 3
    assert more < 50
