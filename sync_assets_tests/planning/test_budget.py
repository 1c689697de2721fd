"""Where the plan does not fit: what is asked for then, played on a virtual clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sync_assets.lib.automation.budget import affordable
from sync_assets.lib.automation.in_progress import list_of
from sync_assets.planning.forecast import forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.sources.rest.list_key import ListKey
from sync_assets_tests.support.played import (
    API,
    CHILDREN,
    LIVE,
    START,
    TABLES,
    Played,
    live,
    longest_waits,
)


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Configures the quota of a played account: as many requests as it spends."""

    def configure(played: Played) -> None:
        for name, value in played.quota.items():
            monkeypatch.setenv(name, value)

    return configure


@pytest.mark.parametrize(
    ("times", "slack"), [(3.0, 1.25), pytest.param(8.0, 2.0, marks=pytest.mark.long)]
)
def test_no_list_starves_and_none_is_requested_twice(
    quota: Any, times: float, slack: float
) -> None:
    played = Played(times)
    quota(played)
    days = 4 * times
    played.play(days)
    reads = {one: len(played.reads[one]) for one in live(played.requested)}
    tables = [count for (_, parent), count in reads.items() if parent is None]
    partitions = [count for (_, parent), count in reads.items() if parent is not None]
    assert (len(tables), len(partitions)) == (len(TABLES), LIVE * len(CHILDREN))
    assert max(tables) - min(tables) <= 2
    assert max(partitions) - min(partitions) <= 1
    waits = longest_waits(played, START + timedelta(days=times))
    assert waits[False] <= times * slack + 1
    assert waits[True] <= 24 * times * slack
    hour, one_more = played.demand / times / 24, max(TABLES.values()) + sum(CHILDREN.values())
    assert played.most <= hour + one_more
    under_way = Counter(map(list_of, played.under_way()))
    assert all(played.requested[one] == len(played.reads[one]) + under_way[one] for one in reads)
    spent = sum({**TABLES, **CHILDREN}[name] * len(at) for (name, _), at in played.reads.items())
    assert spent >= 0.95 * played.demand / times * days


def test_where_the_plan_fits_everything_that_is_due_is_asked_for(quota: Any) -> None:
    played = Played(0.9)
    quota(played)
    verdicts = list(evaluate_freshness(API, played.state, played.settings, played.now))
    found = forecast(API, played.state, played.settings, verdicts)
    assert affordable(found, verdicts, set()) == verdicts


def test_partitions_that_are_under_way_leave_the_tables_their_room(quota: Any) -> None:
    played = Played(3.0)
    quota(played)
    verdicts = list(evaluate_freshness(API, played.state, played.settings, played.now))
    found = forecast(API, played.state, played.settings, verdicts)
    backfill = {(name, None) for name in CHILDREN}
    assert {verdict.resource for verdict in affordable(found, verdicts, backfill)} == {"promotions"}
    one = affordable(found, verdicts, {("promotions", None)})
    assert {verdict.resource for verdict in one} == set(CHILDREN)
    assert len({verdict.parent for verdict in one}) == 1


def test_a_list_that_failed_just_now_lets_the_others_go_first(quota: Any) -> None:
    played = Played(3.0)
    quota(played)
    failed = played.histories[ListKey("promotions")]
    played.histories[ListKey("promotions")] = replace(failed, failures=1, failed_at=START)
    verdicts = list(evaluate_freshness(API, played.state, played.settings, played.now))
    found = forecast(API, played.state, played.settings, verdicts)
    tables = [verdict for verdict in verdicts if not verdict.partitioned]
    assert affordable(found, tables, set())[0].resource == "organizing_brands"
