"""Heads on Postgres: what holds of them on DuckDB holds there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.head_histories import WAYS, History
from sync_assets_tests.support.postgres import PostgresWorld, own_database, require_server
from sync_assets_tests.support.world import new_world
from sync_assets_tests.warehouse import test_heads
from sync_assets_tests.warehouse.test_heads import orders

pytestmark = pytest.mark.long
HISTORIES = Count("histories of heads and sweeps on Postgres", sample=1, full=40)
SYNCS = 20
__all__ = ["orders"]

globals().update({name: test for name, test in vars(test_heads).items() if name[:5] == "test_"})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PostgresWorld]:
    """An account and a database of the test's own."""
    require_server()
    with new_world(tmp_path) as made, own_database() as database:
        yield PostgresWorld.over(made, database)


@HISTORIES
@pytest.mark.parametrize("way", WAYS)
def test_heads_and_sweeps_hold_what_they_promise(
    world: PostgresWorld, way: str, record_property: Callable[[str, object], None]
) -> None:
    for number in range(HISTORIES.size):
        seed = SEED * 1_000 + number
        with own_database() as database:
            world.use(database)
            history = History(WAYS[way], seed, world.query)
            try:
                history.play(SYNCS)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
    record_property("figures", f"{way}, the last: {dict(history.fates)}")
