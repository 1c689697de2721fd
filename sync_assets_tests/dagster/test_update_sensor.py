"""A job after each update: no partition is passed over, and none is requested twice."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import pytest

from sync_assets.lib.automation import update_sensor
from sync_assets.lib.automation.update_sensor import build_update_sensor

LISTS = dg.AssetKey(["promotions", "participations"])


class AnnounceConfig(dg.Config):
    """What is new."""

    promotions: list[str]


@dg.op
def announce(config: AnnounceConfig) -> None:
    pass


@dg.job
def announcements() -> None:
    announce()


def config_of(keys: Sequence[str]) -> dg.RunConfig:
    return dg.RunConfig(ops={"announce": AnnounceConfig(promotions=list(keys))})


SENSOR = build_update_sensor("announce", LISTS, announcements, config_of)
SEEN: list[Any] = []


@dg.asset_sensor(LISTS, name="theirs", job=announcements)
def theirs(context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> None:
    SEEN.append(event.dagster_event.partition if event.dagster_event else None)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance that has never run anything."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def update(instance: dg.DagsterInstance, *keys: str | None) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(LISTS, partition=key))


def tick(instance: dg.DagsterInstance, cursor: str | None) -> Any:
    return SENSOR(dg.build_sensor_context(instance, cursor=cursor))


def keys_of(result: dg.SensorResult) -> list[str]:
    (request,) = result.run_requests or []
    return list(request.run_config["ops"]["announce"]["config"]["promotions"])


def test_one_run_for_all_that_was_updated_since_the_last_tick(instance: dg.DagsterInstance) -> None:
    assert isinstance(tick(instance, None), dg.SkipReason)
    update(instance, "a", "b", "a")
    first = tick(instance, None)
    assert keys_of(first) == ["a", "b"]
    assert isinstance(tick(instance, first.cursor), dg.SkipReason)
    update(instance, "c", "a")
    assert keys_of(tick(instance, first.cursor)) == ["c", "a"]


def test_a_tick_that_is_made_again_requests_the_same_run(instance: dg.DagsterInstance) -> None:
    update(instance, "a")
    once, again = tick(instance, None), tick(instance, None)
    assert once.run_requests[0].run_key == again.run_requests[0].run_key


def test_many_updates_are_taken_in_turns(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_sensor, "EVENTS_PER_TICK", 2)
    update(instance, "a", "b", "c")
    first = tick(instance, None)
    assert [keys_of(first), keys_of(tick(instance, first.cursor))] == [["a", "b"], ["c"]]


def test_an_asset_without_partitions_has_no_keys(instance: dg.DagsterInstance) -> None:
    update(instance, None)
    assert keys_of(tick(instance, None)) == []


def test_dagsters_own_sensor_sees_the_newest_alone(instance: dg.DagsterInstance) -> None:
    update(instance, "a", "b", "c")
    repository = dg.Definitions(sensors=[theirs]).get_repository_def()
    theirs.evaluate_tick(dg.build_sensor_context(instance, repository_def=repository))
    assert SEEN == ["c"]
