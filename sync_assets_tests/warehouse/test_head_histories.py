"""What heads and sweeps promise, in random histories: see `support.head_histories`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.head_histories import WAYS, History
from sync_assets_tests.support.world import World

HISTORIES = Count("histories of heads and sweeps", sample=1, full=400)
SYNCS = 20


@pytest.mark.long
@HISTORIES
@pytest.mark.parametrize("way", WAYS)
def test_heads_and_sweeps_hold_what_they_promise(
    world: World, way: str, record_property: Callable[[str, object], None]
) -> None:
    fates = Counter[str]()
    for number in range(HISTORIES.size):
        seed = SEED * 1_000 + number
        history = History(WAYS[way], seed, world.query)
        try:
            history.play(SYNCS)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        fates += history.fates
        (world.folder / "warehouse.duckdb").unlink()
    record_property("figures", f"{way}: {dict(fates)}")
    assert fates["heads"] >= HISTORIES.size // 10
