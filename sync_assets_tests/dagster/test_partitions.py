"""Only partition keys that this project added are retired or requested."""

from __future__ import annotations

import json
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin
from dagster._core.test_utils import instance_for_test
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.base import times
from sync_assets.lib.automation.partition_cursor import PartitionCursor, added_keys
from sync_assets.lib.keys import partition_key
from sync_assets.warehouse.queries import Tried
from sync_assets_tests.support.dagster_world import PARTITION_SENSOR, DagsterRuns, keys_of
from sync_assets_tests.support.instances import keep_cursor
from sync_assets_tests.support.three_promotions import add_children, promotion
from sync_assets_tests.support.world import World

FAULTS = {
    "keys that another code location added": "never retired",
    "a key that another code location added and the API lists too": "refused by name in each tick",
    "a retired key that another code location adds again": "never retired",
    "a cursor that is empty, garbage or of an earlier version": "made anew",
    "the parent's list is short once": "nothing is retired, and the tick tells what is missing",
    "the parent's list is short in two syncs": "what both miss is retired, if not most of all",
    "more than half of the keys are missing": "retired once a third sync misses them",
    "a retired key is listed again": "a partition again, read when it is due and not before",
    "a sensor that looks twice at one sync": "counts it once",
    "a dataset into which the parent was never synced": "no key is added or retired",
}
FRESHNESS, SCHEDULE = "promotions_freshness", "promotions_promotions_hourly"


@pytest.fixture
def keys(synced: DagsterRuns) -> list[str]:
    """Keys of another code location, in an instance where three promotions were synced."""
    others = ["x", "other/1", "42"]
    synced.instance.add_dynamic_partitions("promotions", others)
    return others


def follow(runs: DagsterRuns, cursor: str | None = None) -> dg.SensorResult:
    """Sync the promotions, and let the sensor follow."""
    assert runs.run("promotions/promotions").success
    result = runs.tick(PARTITION_SENSOR, cursor)
    assert isinstance(result, dg.SensorResult)
    return result


def retire(runs: DagsterRuns, cursor: str | None = None) -> str | None:
    """Let two syncs miss what is not listed any more; the first one retires nothing."""
    before = there(runs)
    cursor = follow(runs, cursor).cursor
    assert there(runs) >= before
    return follow(runs, cursor).cursor


def there(runs: DagsterRuns) -> set[str]:
    return {*runs.instance.get_dynamic_partitions("promotions")}


def test_keys_of_another_code_location_stay(
    synced: DagsterRuns, world: World, keys: list[str]
) -> None:
    del world.api.lists["/promotions"][0]
    cursor = retire(synced)
    assert there(synced) == {"2", "3", *keys}
    world.api.lists["/promotions"].append(promotion("4"))
    follow(synced, cursor)
    assert there(synced) == {"2", "3", "4", *keys}


@pytest.mark.long
def test_a_key_that_cannot_be_told_apart_is_refused_by_name(
    synced: DagsterRuns, world: World, keys: list[str]
) -> None:
    world.api.lists["/promotions"].append(promotion("42"))
    add_children(world.api, "42")
    result = follow(synced)
    assert "1 partitions of promotions were added by somebody else" in str(result.skip_reason)
    assert "the API lists them too: 42." in str(result.skip_reason)
    again = synced.tick(PARTITION_SENSOR, result.cursor)
    assert isinstance(again, dg.SkipReason)
    assert "lists them too: 42." in str(again.skip_message)
    hour = times.now() + timedelta(hours=1)
    world.monkeypatch.setattr(times, "now", lambda: hour)
    fresh = synced.tick(FRESHNESS)
    assert isinstance(fresh, dg.SensorResult)
    requests = [*(fresh.run_requests or []), *synced.schedule(SCHEDULE)]
    assert {key for request in requests for key in keys_of(request)} == {"1", "3"}
    del world.api.lists["/promotions"][-1]
    follow(synced, result.cursor)
    assert there(synced) == {"1", "2", "3", *keys}


@pytest.mark.long
def test_what_a_person_added_and_materialized_is_ours(
    synced: DagsterRuns, world: World, keys: list[str]
) -> None:
    world.api.lists["/promotions"].append(promotion("42"))
    add_children(world.api, "42")
    cursor = follow(synced).cursor
    assert synced.run("promotions/users", partition="42").success
    result = follow(synced, cursor)
    assert result.skip_reason is None
    del world.api.lists["/promotions"][-1]
    retire(synced, result.cursor)
    assert there(synced) == {"1", "2", "3", "x", "other/1"}


@pytest.mark.long
def test_a_backfill_over_all_keys_makes_those_of_others_not_ours(
    synced: DagsterRuns, world: World, keys: list[str]
) -> None:
    for key in keys:
        synced.run("promotions/users", "promotions/rankings", partition=key)
    follow(synced)
    assert there(synced) == {"1", "2", "3", *keys}


@pytest.mark.long
def test_a_retired_key_that_somebody_else_adds_again_is_theirs(
    synced: DagsterRuns, world: World
) -> None:
    one = world.api.lists["/promotions"].pop(0)
    cursor = retire(synced)
    assert there(synced) == {"2", "3"}
    synced.instance.add_dynamic_partitions("promotions", ["1"])
    cursor = follow(synced, cursor).cursor
    assert there(synced) == {"1", "2", "3"}
    world.api.lists["/promotions"].append(one)
    assert "lists them too: 1." in str(follow(synced, cursor).skip_reason)


@pytest.mark.long
def test_what_was_added_and_never_synced_is_asked_for_again_and_retired(
    synced: DagsterRuns, world: World
) -> None:
    world.api.lists["/promotions"].append(promotion("4"))
    cursor = follow(synced).cursor
    fresh = synced.tick(FRESHNESS)
    assert isinstance(fresh, dg.SensorResult)
    assert "4" in {k for r in fresh.run_requests or [] for k in keys_of(r)}
    del world.api.lists["/promotions"][-1]
    retire(synced, cursor)
    assert there(synced) == {"1", "2", "3"}


def test_a_dataset_without_a_sync_of_the_parent_retires_nothing(
    synced: DagsterRuns, world: World
) -> None:
    world.configure("promotions", dataset="elsewhere")
    result = synced.tick(PARTITION_SENSOR)
    assert isinstance(result, dg.SkipReason)
    assert "elsewhere.promotions was never synced" in str(result.skip_message)
    assert there(synced) == {"1", "2", "3"}


@pytest.mark.long
def test_a_list_that_is_short_once_retires_nothing(synced: DagsterRuns, world: World) -> None:
    whole = list(world.api.lists["/promotions"])
    del world.api.lists["/promotions"][1:]
    result = follow(synced)
    told = "2 of 3 partitions of promotions are missing from the newest list of promotions: 2, 3."
    assert told in str(result.skip_reason)
    again = synced.tick(PARTITION_SENSOR, result.cursor)
    assert told in str(getattr(again, "skip_message", ""))
    assert there(synced) == {"1", "2", "3"}
    world.api.lists["/promotions"] = whole
    world.api.seen.clear()
    result = follow(synced, result.cursor)
    assert (result.run_requests, result.skip_reason) == ([], None)
    assert json.loads(str(result.cursor))["absent"] == {}
    assert not follow(synced, result.cursor).run_requests


@pytest.mark.long
def test_more_than_half_of_the_keys_go_when_a_third_sync_misses_them(
    synced: DagsterRuns, world: World
) -> None:
    whole = list(world.api.lists["/promotions"])
    del world.api.lists["/promotions"][1:]
    cursor = retire(synced)
    assert there(synced) == {"1", "2", "3"}
    for _ in range(2):  # a look at the same sync counts for nothing
        result = synced.tick(PARTITION_SENSOR, json.dumps(json.loads(str(cursor)) | {"news": "0"}))
        assert isinstance(result, dg.SensorResult)
        assert "until a third sync in a row" in str(result.skip_reason)
    cursor = follow(synced, cursor).cursor
    assert there(synced) == {"1"}
    world.api.lists["/promotions"] = whole
    result = follow(synced, cursor)
    assert there(synced) == {"1", "2", "3"}
    assert result.run_requests == []


def test_a_list_that_failed_retires_nothing(synced: DagsterRuns, world: World) -> None:
    world.api.lists["/promotions"] = []
    assert not synced.run("promotions/promotions").success
    synced.tick(PARTITION_SENSOR)
    assert there(synced) == {"1", "2", "3"}


ODD = ["", "7", "17", "{}", "[]", "null", "\"x\"", '{"news": 1}', "{", "[" * 9999, "\0", "sync 12",
       '{"news":"1","added":3,"shared":[],"gone":{}}',
       '{"news":"1","added":[],"shared":[],"gone":[1]}']  # fmt: skip


@pytest.mark.parametrize("cursor", ODD)
def test_a_cursor_that_is_none_of_ours_is_made_anew(cursor: str) -> None:
    assert PartitionCursor.read(cursor) == PartitionCursor()


@pytest.mark.long
def test_an_earlier_version_is_followed(synced: DagsterRuns, world: World, keys: list[str]) -> None:
    del world.api.lists["/promotions"][0]
    cursor = retire(synced, "17")
    assert there(synced) == {"2", "3", *keys}
    assert json.loads(str(cursor))["added"] == ["2", "3"]


TEXTS = st.dictionaries(st.text(max_size=5), st.datetimes().map(str), max_size=5)


@settings(max_examples=50, deadline=None)
@given(st.text(), st.sets(st.text()), st.sets(st.text()), TEXTS)
def test_a_cursor_reads_as_it_was_written(
    news: str, added: set[str], shared: set[str], gone: dict[str, str]
) -> None:
    cursor = PartitionCursor(news, added, sorted(shared), gone)
    assert PartitionCursor.read(cursor.write()) == cursor


KEYS = st.sets(st.sampled_from("abcdef"))
TRIED = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 1))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(KEYS, KEYS), max_size=6), TRIED)
def test_in_no_history_a_key_of_another_code_location_is_retired(
    history: list[tuple[set[str], set[str]]], rows: dict[str, int]
) -> None:
    """Theirs are there from the start; each step our API lists some, they add some.

    What was synced below a key was synced before theirs were added.
    """
    known: set[str] = set()
    theirs: set[str] = set()
    cursor = PartitionCursor()
    tried = {key: Tried("2020-01-01T00:00:00+00:00", n) for key, n in rows.items()}
    cursor = PartitionCursor.read(cursor.follow("0", set(), [], tried))
    for step, (listed, added) in enumerate(history):
        theirs |= added - known
        known |= added
        ours = cursor.ours(known, listed, tried)
        assert not ours & theirs
        new, gone = listed - known, ours - listed
        known = (known | new) - gone
        shared = sorted((known & listed) - ours - new)
        cursor = PartitionCursor.read(cursor.follow(str(step), (ours | new) - gone, shared, tried))


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS, max_size=8))
def test_a_key_is_retired_when_two_syncs_in_a_row_missed_it_and_never_most_at_once(
    lists: list[set[str]],
) -> None:
    ours, cursor = set("abcdef"), PartitionCursor()
    for step, listed in enumerate(lists):
        cursor.miss(ours - listed, str(step))
        gone = cursor.retired(ours)
        least = 3 if 2 * len(gone) > len(ours) else 2
        assert all(key not in seen for key in gone for seen in lists[step - least + 1 : step + 1])
        assert not gone or step + 1 >= least
        ours = (ours | listed) - gone
        cursor = PartitionCursor.read(cursor.follow(str(step), ours, [], ()))
        assert cursor.absent.keys() <= ours


def test_keys_that_the_sensor_of_another_location_added_are_not_ours() -> None:
    with instance_for_test() as instance:
        cursors = {"here": {"1"}, "there": {"2"}}
        for location, added in cursors.items():
            keep_cursor(instance, "sensor", PartitionCursor("1", added).write(), location)
            keep_cursor(instance, "another", PartitionCursor("1", {"3"}).write(), location)
        for location, added in cursors.items():
            context = dg.SensorEvaluationContext(
                instance_ref=instance.get_ref(),
                last_tick_completion_time=None,
                last_run_key=None,
                cursor=None,
                repository_name=None,
                code_location_origin=RegisteredCodeLocationOrigin(location),
            )
            with context:  # its instance is closed with it
                assert added_keys(context, "sensor") == added


@pytest.mark.long
def test_odd_ids_are_ours_by_their_keys(synced: DagsterRuns, world: World) -> None:
    world.api.lists["/promotions"].append(promotion("a,b [1]...é"))
    cursor = follow(synced).cursor
    key = partition_key("a,b [1]...é")
    assert key in there(synced)
    del world.api.lists["/promotions"][-1]
    retire(synced, cursor)
    assert key not in there(synced)
