"""What is known of each list: written after the data, whatever text a server put into it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dlt.common.destination import Destination

from sync_assets.base import times
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources import apis
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.connection.destination import database_file, open_pipeline
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.queries import state
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets.warehouse.state.syncs import histories, record
from sync_assets.warehouse.tables import open_tables
from sync_assets_tests.support.world import World

API = apis()["promotions"]
AWKWARD = [
    "it's", 'say "no"', "back\\slash", "\\'; DROP TABLE promotions._syncs; --", "%s %(x)s", "{}",
    "line\nbreak\ttab", "$1 ? :name",
    "E'\\x'", "emoji 🎟", "", " ", "NULL", "\x01", "a\0b", "\ud800",
]  # fmt: skip


def known(world: World) -> dict[tuple[str, str | None], ListHistory]:
    with (
        open_pipeline("promotions", "promotions") as pipeline,
        single_writer(database_file(pipeline), silent),
        open_tables(pipeline) as tables,
    ):
        return {(history.resource, history.parent): history for history in histories(tables)}


def remember(*listings: ListResult, literals: bool = True) -> None:
    with (
        open_pipeline("promotions", "promotions") as pipeline,
        single_writer(database_file(pipeline), silent),
        open_tables(pipeline) as tables,
    ):
        if not literals:
            tables._client.capabilities.escape_literal = None  # type: ignore[assignment]
        record(tables, API, listings, SyncResult(strict=False))


def test_a_sync_is_remembered_and_a_failure_leaves_it(world: World) -> None:
    world.api.lists["/users/1"] = [{"id": "a"}, {"id": "b"}]
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    before = known(world)["users", "1"]
    assert (before.rows, before.rows_before, before.failures) == (2, 0, 0)
    assert (before.pages, before.requests) == (1, 1)
    assert 0 < before.request_seconds < 5
    world.api.fail("/users/1", status=500)
    for _ in range(3):
        world.sync("promotions", "users", parents={"promotions": ["1"]})
    after = known(world)["users", "1"]
    assert (after.rows, after.synced_at, after.failures) == (2, before.synced_at, 3)
    assert "users of 1, page 1" in (after.error or "")
    world.api.heal()
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    healed = known(world)["users", "1"]
    assert (healed.rows_before, healed.failures, healed.error) == (2, 0, None)


@pytest.mark.parametrize("literals", [True, False])
def test_any_text_is_remembered_as_it_is(world: World, literals: bool) -> None:
    """Also by bound values: dlt writes no SQL literals for Snowflake."""
    snowflake = Destination.from_reference("snowflake")
    assert snowflake is not None
    assert snowflake.capabilities().escape_literal is None
    world.sync("promotions", "organizing_brands")
    remember(*(ListResult("users", t, error=t) for t in AWKWARD), literals=literals)
    remember(*(ListResult("stages", t, rows=1, new_fields={t}) for t in AWKWARD), literals=literals)
    found = known(world)
    for text in AWKWARD:
        pure = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        assert found["users", pure].error == pure
        assert found["stages", pure].new_fields == {text}


def test_a_list_that_was_read_after_its_parent_ended_is_final(world: World) -> None:
    world.api.lists["/promotions"] = [
        {"id": "1", "end_date": "2020-01-01T00:00:00Z"},
        {"id": "2", "end_date": "2999-01-01T00:00:00Z"},
        {"id": "3"},
    ]
    world.api.lists.update({f"/users/{parent}": [] for parent in "123"})
    world.sync("promotions", "promotions", "users")
    found = known(world)
    assert [found["users", parent].final for parent in "123"] == [True, False, False]
    assert not found["promotions", None].final


@pytest.mark.long
def test_a_list_that_may_change_again_is_final_no_more(world: World) -> None:
    """A series opens again, and its event is over before its lists are stale."""
    lists = world.api.lists
    lists["/event_series"] = [{"id": "es_1", "upcoming_occurrences": 0}]
    lists["/event_series/es_1/events"] = lists["/event_series/es_1/waitlist_signups"] = []
    world.sync("events", "events_series", "events", "waitlists")
    api, now = apis()["events"], times.now()
    assert state(api).histories[ListKey("events", "es_1")].final
    lists["/event_series"][0]["upcoming_occurrences"] = 1
    world.sync("events", "events_series")
    assert not state(api).histories[ListKey("events", "es_1")].final
    lists["/event_series"][0]["upcoming_occurrences"] = 0
    world.sync("events", "events_series")
    verdicts = evaluate_freshness(api, state(api), AutomationSettings(), now + timedelta(hours=20))
    needed = {v.resource for v in verdicts if v.needed and v.parent}
    assert needed == {"events", "waitlists"}
    world.sync("events", "events", "waitlists", parents={"events_series": ["es_1"]})
    assert state(api).histories[ListKey("events", "es_1")].final


def test_a_promotion_that_was_planned_is_read_when_it_begins_and_ends(world: World) -> None:
    now = times.now()
    begin, end = (now + timedelta(days=days) for days in (2, 5))
    world.api.lists |= {
        "/promotions": [{"id": "1", "start_date": str(begin), "end_date": str(end)}],
        "/users/1": [],
    }
    world.sync("promotions", "promotions", "users")
    assert not state(API).histories[ListKey("users", "1")].final

    def needs(**by: float) -> bool:
        verdicts = evaluate_freshness(API, state(API), AutomationSettings(), now + timedelta(**by))
        return any(v.needed for v in verdicts if (v.resource, v.parent) == ("users", "1"))

    assert [needs(days=days) for days in (0.02, 3, 6, 8, 60)] == [False, True, True, True, True]
    world.monkeypatch.setattr(times, "now", lambda: now + timedelta(days=8))
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    assert [needs(days=days) for days in (8, 20, 39)] == [False, False, True]


def test_a_reading_of_a_wrong_clock_is_replaced(world: World) -> None:
    now = times.now()
    world.api.lists["/users/1"] = [{"id": "a"}]
    with world.monkeypatch.context() as wrong:
        wrong.setattr(times, "now", lambda: now + timedelta(days=400))
        world.sync("promotions", "users", parents={"promotions": ["1"]})
    world.api.lists["/users/1"].append({"id": "b"})
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    assert world.ids("promotions.users") == ["a", "b"]
    assert abs((known(world)["users", "1"].synced_at or now) - now) < timedelta(minutes=5)
