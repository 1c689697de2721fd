"""Heads and sweeps in Dagster: automation reads what is due, a click reads to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets.lib.assets.sync_config import run_config, tables_config
from sync_assets.lib.automation.jobs import tables_job_name
from sync_assets.planning.costs import list_costs
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import automation
from sync_assets.sources import events, promotions
from sync_assets.warehouse.queries import state
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.world import World

PAGE = 3
START = times.now()
(PROMOTIONS,) = promotions.API.parents
FAULTS = {
    "a list that is read by heads alone for longer than `PROVEN_MAX_AGE`": "`proven` names it; "
    "the next read that is due is a sweep",
    "a promotion that is over, with a list that has earned heads": "the list is swept",
}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock to so many hours after the start."""
    return lambda hours: monkeypatch.setattr(times, "now", lambda: START + timedelta(hours=hours))


def earn(world: World, source: str, resource: str, path: str, **of: Any) -> None:
    """Let a list earn heads: a first sweep, and two that see new rows in front."""
    world.api.page_size = PAGE
    world.configure(source, HEADS_FROM_PAGES=3)
    rows = world.api.lists[path] = [{"id": f"x{n}"} for n in range(4 * PAGE)]
    for n in range(3):
        rows.insert(0, {"id": f"y{n}"})
        world.sync(source, resource, **of)


def sync_orders(runs: DagsterRuns, world: World) -> str:
    """A run as the schedule requests it; gives how it read the orders."""
    orders = dg.AssetKey(["events", "orders"])
    request = dg.RunRequest(
        run_config=tables_config(events.API),
        job_name=tables_job_name(events.API),
        asset_selection=[orders],
    )
    world.api.seen.clear()
    assert runs.run_request(request).success
    return str(runs.metadata("events/orders")["read"])


def read_users(runs: DagsterRuns, keys: Iterable[str]) -> dict[str, str]:
    """A run of the sync job over users, as automation requests it; gives how it read each list."""
    config = run_config(promotions.API, PROMOTIONS, dict.fromkeys(keys, ("users",)))
    request = dg.RunRequest(run_config=config, job_name="promotions_promotions_sync")
    assert runs.run_request(request).success
    return {key: str(runs.metadata("promotions/users", key)["read"]) for key in keys}


@pytest.mark.long
def test_automation_reads_heads_until_a_sweep_is_due(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    earn(world, "events", "orders", "/orders")
    assert (sync_orders(runs, world), len(world.api.asked("/orders"))) == ("head", 1)
    assert runs.check("events/orders", "proven").passed
    later(17)
    assert sync_orders(runs, world) == "head"
    later(25)
    assert sync_orders(runs, world) == "sweep"


def test_a_click_is_a_sweep_and_can_ask_for_heads(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    earn(world, "events", "orders", "/orders")
    assert runs.run("events/orders").success
    assert runs.metadata("events/orders")["read"] == "sweep"
    later(27)
    heads = {"ops": {"events": {"config": {"read": "heads"}}}}
    assert runs.run("events/orders", config=heads).success
    told = runs.metadata("events/orders")
    assert told["read"] == "head"
    assert told["fresh_at"] - told["proven_at"] == pytest.approx(27 * 3600, abs=600)
    assert runs.check("events/orders", "fresh").passed
    unproven = runs.check("events/orders", "proven")
    assert not unproven.passed
    assert unproven.metadata["unproven"].value == 1
    assert sync_orders(runs, world) == "sweep"
    assert runs.check("events/orders", "proven").passed


@pytest.mark.long
def test_below_what_is_over_nothing_is_read_by_its_head(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    later(0)
    ends = {"1": START - timedelta(days=9), "2": START + timedelta(days=9)}
    world.api.lists["/promotions"] = [
        {"id": key, "end_date": f"{end:%Y-%m-%dT%H:%M:%SZ}"} for key, end in ends.items()
    ]
    world.sync("promotions", "promotions")
    for key in ends:
        earn(world, "promotions", "users", f"/users/{key}", parents={"promotions": [key]})
    runs.instance.add_dynamic_partitions("promotions", list(ends))
    later(1)
    assert read_users(runs, ends) == {"1": "sweep", "2": "sweep"}, "a nightly read is the proof"
    world.monkeypatch.setenv("AUTOMATION__PARTITIONS_MAX_AGE", "1")
    later(2)
    assert read_users(runs, ends) == {"1": "sweep", "2": "head"}


def test_the_plan_counts_heads_and_the_sweeps_that_prove(world: World) -> None:
    earn(world, "events", "orders", "/orders")
    settings = automation(events.API)
    found = evaluate_freshness(events.API, state(events.API), settings, times.now())
    orders = [freshness for freshness in found if freshness.resource == "orders"]
    (long,), (short,) = (list_costs(orders, PAGE, pages) for pages in (3, 21))
    assert (long.requests, long.head, short.head) == (short.requests, 1, None)
    assert long.requests is not None
    assert short.a_day(24, settings) == 24 * long.requests
    assert long.requests + 22 < long.a_day(24, settings) < 1.4 * long.requests + 24
    assert long.next_read == 1
