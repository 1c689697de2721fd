"""Heads and sweeps in Dagster: automation reads what is due, a click reads to the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType

from sync_assets.base import times
from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.lib.assets.sync_config import run_config, tables_config
from sync_assets.lib.automation.budget import affordable
from sync_assets.lib.automation.jobs import tables_job_name
from sync_assets.planning.costs import ListCost, list_costs
from sync_assets.planning.forecast import Line, forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import automation
from sync_assets.sources import events, promotions
from sync_assets.warehouse.queries import state
from sync_assets_tests.support.dagster_world import DagsterRuns, resources_of
from sync_assets_tests.support.documents import DOCS
from sync_assets_tests.support.world import World

PAGE = 3
HEADS = {"ops": {"events": {"config": {"read": "heads"}}}}
START = times.now().replace(minute=0, second=0)  # half an hour before a tick of the schedule
(PROMOTIONS,) = promotions.API.parents
FAULTS = {
    "a list that is read by heads alone for longer than `PROVEN_MAX_AGE`": "`proven` names it; "
    "the next read that is due is a sweep",
    "an age of six minutes, and a schedule that ticks each half hour": "the freshness sensor "
    "requests the list after three minutes",
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


def due(minutes: float) -> dict[str, ListFreshness]:
    """The tables of events that were synced, and are to be read so many minutes later."""
    now, api = times.now() + timedelta(minutes=minutes), events.API
    found = evaluate_freshness(api, state(api), automation(api), now)
    return {f.resource: f for f in found if f.needed and f.history.synced_at}


def cost_of_orders() -> ListCost:
    """What the list of orders costs as it is known now."""
    api, settings = events.API, automation(events.API)
    found = evaluate_freshness(api, state(api), settings, times.now())
    (cost,) = list_costs([one for one in found if one.resource == "orders"], PAGE)
    return cost


@pytest.mark.long
def test_automation_reads_heads_until_a_sweep_is_due(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    earn(world, "events", "orders", "/orders")
    assert (sync_orders(runs, world), len(world.api.asked("/orders"))) == ("head", 1)
    assert runs.check("events/orders", "proven").passed
    later(11)
    assert sync_orders(runs, world) == "head"
    later(25)
    assert sync_orders(runs, world) == "sweep"


def asked(result: Any) -> list[tuple[str, set[str]]]:
    """How the runs that a sensor requests read which tables."""
    return [
        (request.run_config["ops"]["events"]["config"]["read"], resources_of(request))
        for request in result.run_requests or []
    ]


def begin(runs: DagsterRuns, request: dg.RunRequest) -> None:
    """A run that was requested executes elsewhere since now."""
    job = runs.definitions.resolve_job_def(str(request.job_name))
    run = runs.instance.create_run_for_job(
        job, run_config=request.run_config, asset_selection=frozenset(request.asset_selection or [])
    )
    start = DagsterEvent(DagsterEventType.RUN_START.value, job.name)
    runs.instance.report_dagster_event(start, run.run_id)


@pytest.mark.long
def test_heads_are_read_beside_a_sweep_that_takes_hours(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    earn(world, "events", "orders", "/orders")
    world.monkeypatch.setenv("AUTOMATION__TABLES_MAX_AGE", "0.1")  # six minutes
    automated = DagsterRuns(runs.instance, definitions=build_api_definitions(events.API))
    later(25)
    first: Any = automated.tick("events_freshness")
    ((heads, read), (due_now, swept)) = sorted(asked(first), reverse=True)
    assert (heads, read) == ("heads", {"orders"})
    assert due_now == "due"
    assert "orders" in swept
    for request in first.run_requests:
        begin(automated, request)
    again: Any = automated.tick("events_freshness", first.cursor)
    assert asked(again) == [], "the head is under way"
    assert runs.run("events/orders", config=HEADS).success
    later(25 + 4 / 60)
    third: Any = automated.tick("events_freshness", again.cursor)
    assert asked(third) == [("heads", {"orders"})], "its sweep is under way"
    assert not [one for one in automated.schedule("events_hourly") if "orders" in resources_of(one)]


@pytest.mark.long
def test_a_click_is_a_sweep_and_can_ask_for_heads(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    earn(world, "events", "orders", "/orders")
    assert runs.run("events/orders").success
    assert runs.metadata("events/orders")["read"] == "sweep"
    later(27)
    assert runs.run("events/orders", config=HEADS).success
    told = runs.metadata("events/orders")
    assert told["read"] == "head"
    assert told["fresh_at"] - told["proven_at"] > 26 * 3600 / 2
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
    world.monkeypatch.setenv("AUTOMATION__PARTITIONS_MAX_AGE", "26")
    assert read_users(runs, ends) == {"1": "sweep", "2": "sweep"}, "each read is the proof"
    world.monkeypatch.delenv("AUTOMATION__PARTITIONS_MAX_AGE")
    later(2)
    assert read_users(runs, ends) == {"1": "sweep", "2": "head"}


def test_the_plan_counts_heads_and_the_sweeps_that_prove(world: World) -> None:
    earn(world, "events", "orders", "/orders")
    settings = automation(events.API)
    long = cost_of_orders()
    world.configure("events", HEADS_FROM_PAGES=21)
    short = cost_of_orders()
    assert (long.requests, long.head, short.head) == (short.requests, 1, None)
    assert long.requests is not None
    assert short.a_day(24, settings) == 24 * long.requests
    assert long.requests + 22 < long.a_day(24, settings) < 1.4 * long.requests + 24
    assert long.next_read == 1
    assert long.a_day(48, settings) == pytest.approx(long.a_day(24, settings) + 24, abs=1)


def offer_vouchers(world: World, count: int) -> None:
    """Vouchers, with a code each, that were swept."""
    world.api.page_size = 100
    world.api.lists["/vouchers"] = [{"id": f"v{n}", "total_codes": 1} for n in range(count)]
    world.api.lists.update({f"/vouchers/v{n}/codes": [{"id": "c"}] for n in range(count)})
    world.sync("events", "vouchers", "vouchers_codes")


@pytest.mark.long
def test_automation_reads_codes_below_changed_vouchers_until_a_sweep_is_due(
    runs: DagsterRuns, world: World, later: Callable[[float], None]
) -> None:
    later(0)
    offer_vouchers(world, 5)
    both = [dg.AssetKey(["events", name]) for name in ("vouchers", "vouchers_codes")]
    request = dg.RunRequest(
        run_config=tables_config(events.API),
        job_name=tables_job_name(events.API),
        asset_selection=both,
    )
    for hours, read, requests in ((11, "head", 2), (25, "sweep", 6)):
        later(hours)
        world.api.lists["/vouchers"][1]["total_codes"] = hours
        world.api.seen.clear()
        assert runs.run_request(request).success
        assert len(world.api.seen) == requests
        told = runs.metadata("events/vouchers_codes")
        assert (told["read"], told["rows"], told["rows_added"]) == (read, 5, 0)
        assert (told["fresh_at"] - told["proven_at"] > 10 * 3600) is (read == "head")
        for check in ("fresh", "proven"):
            assert runs.check("events/vouchers_codes", check).passed


def test_the_plan_counts_codes_once_for_the_proof_and_below_what_changed(world: World) -> None:
    offer_vouchers(world, 8)
    proof = told_of_codes()
    world.api.lists["/vouchers"][1]["total_codes"] = 7
    world.sync("events", "vouchers", "vouchers_codes", read="heads")
    changing = told_of_codes()
    assert (proof.by_heads, proof.requests, changing.requests) == (8, 8, 8)
    assert proof.requests_a_day is not None
    assert changing.requests_a_day is not None
    assert 8 <= proof.requests_a_day < 1.4 * 8
    assert changing.requests_a_day == pytest.approx(proof.requests_a_day + 47, abs=1)
    world.monkeypatch.setenv("AUTOMATION__PROVEN_MAX_AGE", "1")
    assert told_of_codes().requests_a_day == 48 * 8


def told_of_codes() -> Line:
    """The line of the plan on the codes of vouchers."""
    known, settings = state(events.API), automation(events.API)
    found = evaluate_freshness(events.API, known, settings, times.now())
    told = forecast(events.API, known, settings, found)
    return next(line for line in told.lines if line.resource == "vouchers_codes")


def test_a_list_is_due_at_half_its_age_unless_the_schedule_is_in_time(
    world: World, later: Callable[[float], None]
) -> None:
    later(0)
    world.api.lists["/check_ins"] = [{"id": f"c{n}"} for n in range(2)]
    world.sync("events", "check_ins")
    world.monkeypatch.setenv("AUTOMATION__TABLES_MAX_AGE", "0.1")  # six minutes
    assert ["check_ins" in due(minutes) for minutes in (2, 4)] == [False, True]
    world.monkeypatch.setenv("AUTOMATION__TABLES_SCHEDULE", "* * * * *")
    assert ["check_ins" in due(minutes) for minutes in (2, 4, 7)] == [False, False, True]


def test_heads_go_before_sweeps(world: World) -> None:
    earn(world, "events", "orders", "/orders")
    earn(world, "events", "vouchers", "/vouchers")
    world.api.lists["/check_ins"] = [{"id": f"c{n}"} for n in range(2)]
    world.sync("events", "check_ins")
    world.monkeypatch.setenv("AUTOMATION__TABLES_MAX_AGE", "0.1")  # six minutes
    world.monkeypatch.delenv("SOURCES__EVENTS__REQUESTS_PER_MINUTE")
    world.configure("events", QUOTA="24/86400", QUOTA_RESERVE=0)
    found = due(7)
    told = forecast(events.API, state(events.API), automation(events.API), found.values())
    by_heads = {line.resource: line.by_heads for line in told.lines}
    assert (by_heads["orders"], by_heads["vouchers"], by_heads["check_ins"]) == (1, 0, 0)
    (first, *others) = affordable(told, [found["check_ins"], found["orders"]], set())
    assert (first.resource, others) == ("orders", []), "an hour's part of the quota is a request"
    world.monkeypatch.setenv("AUTOMATION__TABLES_MAX_AGE", "26")
    assert "orders" not in due(20 * 60), "each read is the proof: no head, and none at half the age"


def test_the_documented_asset_waits_for_a_proof(
    world: World, later: Callable[[float], None]
) -> None:
    section = DOCS["build-on-it"].split("## Require a proof")[1]
    found = re.search(r"```python\n(.*?)```", section, re.S)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - the example of our own page
    later(-25)
    earn(world, "events", "orders", "/orders")
    later(1)
    assert {one.is_head for one in world.sync("events", "orders", read="heads").values()} == {True}
    with pytest.raises(dg.Failure, match="not since midnight"):
        names["orders_total"]()
    world.sync("events", "orders")
    assert names["orders_total"]().metadata["orders"] == 4 * PAGE + 3
