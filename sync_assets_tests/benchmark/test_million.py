"""A fiftieth of the account with a million tickets, whose days are a fiftieth as long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sync_assets_tests.benchmark.million.box_office import HIDDEN
from sync_assets_tests.benchmark.million.figures import LONG, Figures
from sync_assets_tests.benchmark.million.office_day import MAX_AGE, PROVEN, office
from sync_assets_tests.support.counts import SEED, Count

WHOLE = 1_000_000
TICKETS = Count("tickets of an account that is read by heads", sample=WHOLE // 50, full=WHOLE)


@pytest.mark.long
@TICKETS
def test_new_rows_come_within_minutes_and_all_is_proven_each_day(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with office(tmp_path, TICKETS.size / WHOLE, SEED) as day:
        day.grow_up()
        since = day.clock.now
        day.play(1)
        found, ledger = Figures(day, since), day.ledger
        record_property(
            "figures", "; ".join(row.strip("| ").replace(" | ", ": ") for row in found.rows())
        )
        assert found.slowest <= MAX_AGE * 3600
        assert found.oldest_proof <= PROVEN * day.scale
        assert all(len(proofs) >= 2 for proofs in ledger.proofs.values())
        assert (ledger.differences, ledger.late, found.overlooked) == (0, 0, 0)
        for kind in HIDDEN:
            assert max(ledger.lags[kind]) <= PROVEN * day.scale * 3600
        counted = {kind: len(ledger.lags[kind]) for kind in ledger.counted}
        assert dict(ledger.counted) == counted
        assert found.shares[LONG] < 0.0925
        assert sum(found.shares.values()) < 0.12
