"""A week of a promotion's life, hour by hour, with every request, check and alert of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets.lib.alerts.sensor import build_alert_sensor
from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.sources.promotions import API
from sync_assets_tests.support.counts import Count
from sync_assets_tests.support.daemon import Daemon
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.receivers import Webhook, webhook
from sync_assets_tests.support.world import World

pytestmark = [
    pytest.mark.long,
    # apprise looks for imghdr as long as there is one
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
CHILDREN = {"stages": "stages", "users": "users", "participations": "participations",
            "prizes": "prizes", "rankings": "ranking"}  # fmt: skip
STEP = 3
DAYS = Count("days of a promotion whose users are read by the hour", sample=2, full=7)
FIRST, NIGHTLY, FRESH = "promotions_partitions", "promotions_hourly", "freshness"
NIGHTS = {
    "TABLES_SCHEDULE": f"0 */{STEP} * * *",
    "TABLES_MAX_AGE": "4",
    "PARTITIONS_SCHEDULE": "0 3 * * *",
    "PARTITIONS_MAX_AGE": "26",
}


def record(resource: str, **values: Any) -> dict[str, Any]:
    """A record with every declared field, so that no check complains of drift."""
    full: dict[str, Any] = {}
    for column in API.endpoints[resource].columns:
        outer, _, inner = column.partition("__")
        if inner:
            full.setdefault(outer, {})[inner] = None
        elif column != "promotion_id":
            full[outer] = None
    return {**full, **values}


def offer(world: World, identity: str, *, start: float, end: float) -> None:
    """The API lists a promotion that runs from one day to another."""
    from_, to = ((START + timedelta(days=day)).isoformat() for day in (start, end))
    listed = world.api.lists.setdefault("/promotions", [])
    listed.append(record("promotions", id=identity, start_date=from_, end_date=to))
    for child, path in CHILDREN.items():
        world.api.lists[f"/{path}/{identity}"] = [
            record(child, id=f"{child}-{n}", user_id=f"u{n}") if child == "rankings"
            else record(child, id=f"{child}-{n}") for n in range(4)
        ]  # fmt: skip


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def daemon(world: World, hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A project that follows one API, every three hours and at three in the night."""
    for name, value in NIGHTS.items():
        monkeypatch.setenv(f"AUTOMATION__{name}", value)
    monkeypatch.setenv("ALERTS__URLS", f"json://127.0.0.1:{hook.port}/")
    crons = {
        "promotions_hourly": range(0, 24, STEP),
        "promotions_promotions_hourly": range(3, 4),
    }
    with following(world, crons, timedelta(hours=STEP), monkeypatch) as made:
        yield made


@contextmanager
def following(
    world: World, crons: dict[str, range], step: timedelta, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Daemon]:
    """A project that follows promotions on a clock of its own."""
    world.api.lists = {"/organizing_brands": [record("organizing_brands", id="b")]}
    offer(world, "1", start=-30, end=300)
    definitions = dg.Definitions.merge(
        build_api_definitions(API), dg.Definitions(sensors=[build_alert_sensor()])
    )
    with local_instance(world.folder) as instance:
        runs = DagsterRuns(instance, definitions=definitions)
        made = Daemon(runs, START, crons, step)
        monkeypatch.setattr(times, "now", lambda: made.now)
        yield made


def passed(daemon: Daemon, asset: str, check: str) -> bool:
    return bool(daemon.runs.check(f"promotions/{asset}", check).passed)


def users_of(world: World, identity: str) -> set[str]:
    rows = world.query("SELECT id FROM promotions.users WHERE promotion_id = ?", identity)
    return {row["id"] for row in rows}


def test_a_week_of_a_promotion(daemon: Daemon, world: World, hook: Webhook) -> None:
    daemon.play(0, 6)
    first = [(r.at, r.by) for r in daemon.requested if r.keys]
    assert first == [("0 00", FIRST)], "the schedule leaves out what was just read"

    offer(world, "7", start=0, end=3.5)  # discovered, and live until two days after its end
    daemon.play(1, 3)
    assert daemon.below("7") == [("0 09", FIRST, True), ("1 03", NIGHTLY, True)]
    assert len(users_of(world, "7")) == 4

    world.api.lists["/users/7"][0] = record("users", id="edited")
    world.api.lists["/users/7"].pop()
    daemon.play(2, 3)
    assert users_of(world, "7") == {"edited", "users-1", "users-2"}
    assert hook.news() == []

    world.api.fail("/users/7", status=500)  # for a day
    daemon.play(3, 3)
    assert not passed(daemon, "users", "fresh")
    assert passed(daemon, "stages", "fresh")
    daemon.play(3, 21)
    tries = [
        ("3 03", NIGHTLY, False),
        *((f"3 {hour:02}", FRESH, False) for hour in range(6, 24, 3)),
    ]
    assert daemon.below("7")[3:] == tries
    assert {r.assets for r in daemon.requested if r.by == FRESH and r.at[0] == "3"} == {
        frozenset(["users"])
    }
    (told,) = hook.news()
    assert "failed: promotions/users (7)" in told
    assert "failed: check fresh of promotions/users" in told
    assert users_of(world, "7") == {"edited", "users-1", "users-2"}

    world.api.heal()
    daemon.play(4, 3)
    assert daemon.below("7")[10:] == [("4 00", FRESH, True), ("4 03", NIGHTLY, True)]
    assert passed(daemon, "users", "fresh")
    (told,) = hook.news()
    assert told == "recovered: check fresh of promotions/users, promotions/users (7)"

    daemon.play(6, 3)  # ended: once more, then left alone
    assert daemon.below("7")[12:] == [
        ("4 15", FRESH, True),  # users, which were read three hours before the tick
        ("5 03", NIGHTLY, True),
        ("5 06", FRESH, True),
        ("5 15", FRESH, True),
    ]
    final = next(r for r in daemon.requested if r.at == "5 15" and r.keys)
    assert (final.assets, final.keys) == (frozenset(CHILDREN), ("7",))
    assert passed(daemon, "users", "fresh")
    assert hook.news() == []

    world.api.lists["/promotions"].pop()  # vanished
    daemon.play(7, 3)
    assert daemon.runs.instance.get_dynamic_partitions("promotions") == ["1"]
    assert len(daemon.below("7")) == 16
    assert len(users_of(world, "7")) == 3
    check = daemon.runs.check("promotions/users", "parents_exist")
    assert not check.passed
    assert check.metadata["parents"].value == ["7"]
    (told,) = hook.news()
    assert told.count("check parents_exist of promotions/") == 5

    prune = daemon.runs.definitions.resolve_job_def("promotions_prune")
    dry = prune.execute_in_process(instance=daemon.runs.instance)
    logs = daemon.runs.instance.all_logs(dry.run_id)
    word = next(r for r in logs if "confirm: " in r.user_message).user_message.split()[-1]
    confirmed = {"dry_run": False, "confirm": word}
    config = {"ops": {"promotions_remove_orphans": {"config": confirmed}}}
    assert prune.execute_in_process(run_config=config, instance=daemon.runs.instance).success
    assert users_of(world, "7") == set()
    daemon.play(8, 3)
    assert passed(daemon, "users", "parents_exist")
    (told,) = hook.news()
    assert told.startswith("recovered: ")
    assert told.count("check parents_exist of promotions/") == 5
    tables = [r for r in daemon.requested if not r.keys]
    assert len(tables) == 8 * 8 + 2
    assert all(r.success and r.by == "hourly" for r in tables)


@DAYS
def test_a_week_of_heads_by_the_hour(
    world: World, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """Each hour brings a user; each night one of the old users is edited and one deleted."""
    hours = {"promotions_hourly": range(0, 24, 6), "promotions_promotions_hourly": range(24)}
    monkeypatch.setenv("AUTOMATION__TABLES_SCHEDULE", "0 */6 * * *")
    monkeypatch.setenv("AUTOMATION__TABLES_MAX_AGE", "12")
    world.configure("promotions", HEADS_FROM_PAGES=3)
    reads, proofs = Counter[str](), list[float]()
    with following(world, hours, timedelta(hours=1), monkeypatch) as daemon:
        users = world.api.lists["/users/1"] = [record("users", id=f"old-{n}") for n in range(12)]
        for hour in range(DAYS.size * 24):
            if hour % 24 == 5:
                users[-1] = record("users", id=users[-1]["id"], email=f"{hour}@example.com")
                del users[-2]
            users.insert(0, record("users", id=f"new-{hour}"))
            daemon.play(*divmod(hour, 24))
            assert f"new-{hour}" in users_of(world, "1"), "a new row is there within the hour"
            told = daemon.runs.metadata("promotions/users", "1")
            reads[str(told["read"])] += 1
            if told["read"] == "sweep":
                proofs.append(hour)
                found = world.query("SELECT id, email FROM promotions.users")
                assert {(row["id"], row["email"]) for row in found} == {
                    (row["id"], row["email"]) for row in users
                }
            assert passed(daemon, "users", "fresh")
            assert passed(daemon, "users", "proven")
    assert max(after - before for before, after in pairwise([*proofs, hour])) <= 26
    assert reads["head"] > 5 * reads["sweep"]
    record_property("figures", dict(reads))
