"""What is complete is loaded while the rest is read, and is not read again by the next attempt."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from sync_assets.lib.assets.reruns import PARENT
from sync_assets.warehouse.sync import Request, commits, sync
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.dev import wait_for
from sync_assets_tests.support.processes import Task, workers
from sync_assets_tests.support.world import APIS, World

SLOW = 2.5
API = APIS["events"]
TABLES = ["events_series", "orders", "products"]


@pytest.fixture
def events(world: World) -> World:
    """An account of which one table takes long to read."""
    world.monkeypatch.setenv("EXECUTION__COMMIT_EVERY", "1")
    world.api.lists = {
        "/event_series": [{"id": "es_1"}, {"id": "es_2"}],
        "/orders": [{"id": f"or_{n}"} for n in range(5)],
        "/products": [{"id": "pr_1"}],
    }
    return world


def test_a_table_is_loaded_while_another_is_read_on(events: World) -> None:
    events.api.fail("/orders", page=1, times=1, delay=SLOW)
    seen = []
    for result in commits(Request(API, TABLES)):
        if result.round is not None:
            seen.append(sorted(listing.resource for listing in result.complete()))
            assert events.ids("events.products") == ["pr_1"]
    assert seen == [["events_series", "products"], ["orders"]]
    assert len(events.ids("events.orders")) == 5
    assert events.ids("events.events_series") == ["es_1", "es_2"]
    for path, requests in {"/orders": 2, "/event_series": 1, "/products": 1}.items():
        assert len(events.api.asked(path)) == requests


def test_what_was_loaded_stays_when_the_rest_is_never_read(events: World) -> None:
    events.api.fail("/orders", page=1, times=1, delay=SLOW)
    running = commits(Request(API, TABLES))
    next(running)
    cast("Generator[Any]", running).close()  # as a kill or a stop would
    assert events.ids("events.products") == ["pr_1"]
    synced = events.query("SELECT list FROM events._syncs WHERE synced_at IS NOT NULL ORDER BY 1")
    assert [row["list"] for row in synced] == ["events_series", "products"]


@pytest.mark.long
def test_a_table_that_was_loaded_is_not_emptied_by_the_rounds_after_it(events: World) -> None:
    events.api.fail("/orders", page=1, times=1, delay=SLOW)
    events.api.fail("/products", page=1, times=None, status=404)
    result = sync(Request(API, TABLES))
    assert [listing.resource for listing in result.failed()] == ["products"]
    assert len(events.ids("events.orders")) == 5
    assert events.ids("events.events_series") == ["es_1", "es_2"]


def test_lists_that_were_synced_since_are_not_read_again(events: World) -> None:
    before = datetime.now(timezone.utc)
    events.api.fail("/orders", times=1, status=404)
    assert len(sync(Request(API, TABLES)).failed()) == 1
    events.api.seen.clear()
    assert not sync(Request(API, TABLES, since=before)).failed()
    assert {seen.path for seen in events.api.seen} == {"/orders"}
    assert len(events.ids("events.orders")) == 5
    assert events.ids("events.products") == ["pr_1"]


@pytest.mark.long
def test_the_newer_reading_stays_where_an_older_one_is_loaded_after_it(world: World) -> None:
    old = [{"id": "u1", "email": "old"}, {"id": "u2", "email": "old"}]
    new = [{"id": "u1", "email": "new"}, {"id": "u3", "email": "new"}]
    world.api.lists = {"/users/1": old, "/users/2": old}
    newer_is_loaded = threading.Event()

    def hold(body: Any) -> Any:
        assert newer_is_loaded.wait(30)
        return body

    world.api.fail("/users/2", times=1, edit=hold)
    with workers(2, world.folder, SOURCES__PROMOTIONS__TIMEOUT="30") as (first, second):
        first.start(Task("promotions", ["users"], {"promotions": ["1", "2"]}))
        wait_for(
            lambda: (world.api.asked("/users/1") and world.api.asked("/users/2")) or None, 20, 0.1
        )
        world.api.lists["/users/1"] = new
        assert second.sync(Task("promotions", ["users"], {"promotions": ["1"]})).green
        newer_is_loaded.set()
        done = first.result()
        assert done.green
    assert [line for line in done.said if "users of 1: a newer reading is loaded" in line]
    assert world.rows("promotions.users") == [
        *({"promotion_id": "1", **row} for row in new),
        *({"promotion_id": "2", **row} for row in old),
    ]
    (known,) = world.query("SELECT rows FROM promotions._syncs WHERE list = 'users/1'")
    assert known["rows"] == len(new)


@pytest.mark.long
def test_a_failed_run_that_is_executed_again_reads_only_what_it_lacked(
    world: World, runs: DagsterRuns
) -> None:
    runs.first_sync()
    users = "promotions/users"
    world.api.fail("/users/2", times=None, status=404)
    world.api.seen.clear()
    failed = runs.run_range("promotions", users)
    assert not failed.success
    world.api.heal()
    again = runs.run_range("promotions", users, tags={PARENT: failed.run_id})
    assert again.success
    assert [seen.path for seen in world.api.seen] == ["/users/2"]
    assert runs.materialized(users) == {"1", "2", "3"}

    world.api.seen.clear()
    once_more = runs.run_range("promotions", users, tags={PARENT: again.run_id})
    assert once_more.success
    assert len(world.api.seen) == 3  # after a success everything is read anew
