"""Runs, sensors and schedules against an account that misbehaves."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.errors import DagsterUnknownPartitionError

from sync_assets.lib.assets import materialize
from sync_assets.warehouse.connection.lock import single_writer
from sync_assets_tests.support.dagster_world import PARTITION_SENSOR, DagsterRuns
from sync_assets_tests.support.three_promotions import add_children, promotion
from sync_assets_tests.support.world import World


def test_one_bad_promotion_fails_alone_and_is_named(synced: DagsterRuns, world: World) -> None:
    world.api.lists["/users/3"].append({"id": "new"})
    world.api.fail("/users/2", status=500)
    run = synced.run_range("promotions", "promotions/users", "promotions/stages")
    assert not run.success
    made = run.get_asset_materialization_events()
    good = {(e.asset_key.path[-1], e.partition) for e in made if e.asset_key}
    assert good == {
        ("stages", "1"),
        ("stages", "2"),
        ("stages", "3"),
        ("users", "1"),
        ("users", "3"),
    }
    message = synced.failure(run)
    assert "users of 2, page 1" in message
    assert "500" in message
    assert "Materialize these partitions again: 2" in message
    assert [row["promotion_id"] for row in world.rows("promotions.users")].count("3") == 3
    assert [row["promotion_id"] for row in world.rows("promotions.users")].count("2") == 2


@pytest.mark.long
def test_a_range_of_partitions_is_one_run(synced: DagsterRuns) -> None:
    run = synced.run_range("promotions", "promotions/users")
    assert run.success
    assert {e.partition for e in run.get_asset_materialization_events()} == {"1", "2", "3"}


def test_the_sensor_adds_new_keys_and_requests_them_alone(
    synced: DagsterRuns, world: World
) -> None:
    world.api.lists["/promotions"].append(promotion("4"))
    add_children(world.api, "4")
    assert synced.run("promotions/promotions").success
    result = synced.tick(PARTITION_SENSOR)
    assert isinstance(result, dg.SensorResult)
    assert synced.instance.get_dynamic_partitions("promotions") == ["1", "2", "3", "4"]
    (request,) = result.run_requests or []
    run = synced.run_request(request)
    assert {e.partition for e in run.get_asset_materialization_events()} == {"4"}
    assert isinstance(synced.tick(PARTITION_SENSOR, result.cursor), dg.SkipReason)


@pytest.mark.long
def test_the_sensor_retires_vanished_keys_and_their_rows_stay(
    synced: DagsterRuns, world: World
) -> None:
    del world.api.lists["/promotions"][0]
    cursor = None
    for _ in range(2):
        assert synced.instance.get_dynamic_partitions("promotions") == ["1", "2", "3"]
        assert synced.run("promotions/promotions").success
        result = synced.tick(PARTITION_SENSOR, cursor)
        assert isinstance(result, dg.SensorResult)
        assert not result.run_requests
        cursor = result.cursor
    assert synced.instance.get_dynamic_partitions("promotions") == ["2", "3"]
    assert "1" in {row["promotion_id"] for row in world.rows("promotions.users")}


def test_the_sensor_waits_for_the_first_sync_of_the_parent(runs: DagsterRuns) -> None:
    result = runs.tick(PARTITION_SENSOR)
    assert isinstance(result, dg.SkipReason)
    assert "promotions/promotions was never synced" in str(result.skip_message)


@pytest.mark.long
def test_an_unknown_partition_is_refused(synced: DagsterRuns) -> None:
    with pytest.raises(DagsterUnknownPartitionError, match="nope"):
        synced.run("promotions/users", partition="nope")


def test_a_missing_secret_is_named_before_any_request(runs: DagsterRuns, world: World) -> None:
    world.monkeypatch.delenv("SOURCES__AFFILIATES__API_KEY")
    message = runs.failure(runs.run("affiliates/coupons"))
    assert "SOURCES__AFFILIATES__API_KEY is not set" in message
    assert not world.api.seen


def test_an_unreachable_base_url_is_named(runs: DagsterRuns, world: World) -> None:
    world.configure("affiliates", base_url="http://127.0.0.1:9/api", max_retries=0)
    message = runs.failure(runs.run("affiliates/coupons"))
    assert "coupons, page 1 of http://127.0.0.1:9/api/v1/coupons" in message


def test_a_warehouse_that_cannot_be_written_is_named(runs: DagsterRuns, world: World) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", "/proc/no/warehouse.duckdb")
    message = runs.failure(runs.run("affiliates/coupons"))
    assert "/proc/no/warehouse.duckdb" in message
    assert "DESTINATION__WAREHOUSE__CREDENTIALS" in message
    assert not world.api.seen


@pytest.mark.long
def test_an_emptied_table_needs_a_word(runs: DagsterRuns, world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    assert runs.run("affiliates/coupons").success
    world.api.lists["/v1/coupons"] = []
    assert "allow_empty" in runs.failure(runs.run("affiliates/coupons"))
    assert len(world.rows("affiliates.coupons")) == 1
    config = {"ops": {"affiliates": {"config": {"allow_empty": True}}}}
    assert runs.run("affiliates/coupons", config=config).success
    assert not world.rows("affiliates.coupons")


def test_the_sensor_does_not_wait_for_a_busy_warehouse(
    runs: DagsterRuns, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runs.run("promotions/promotions").success
    monkeypatch.setattr("sync_assets.warehouse.queries.LOCK_TIMEOUT_SECONDS", 0.2)
    with single_writer(world.folder / "warehouse.duckdb", print):
        result = runs.tick(PARTITION_SENSOR)
    assert isinstance(result, dg.SkipReason)
    assert "in use by another sync" in str(result.skip_message)
    assert isinstance(runs.tick(PARTITION_SENSOR), dg.SensorResult)


def test_a_server_that_is_away_is_asked_again(runs: DagsterRuns, world: World) -> None:
    world.monkeypatch.setattr(materialize, "PAUSE_SECONDS", 0)
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    address = "postgresql://loader:x@127.0.0.1:9/db"
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", address)
    run = runs.run("promotions/promotions")
    assert not run.success
    again = [e for e in run.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert len(again) == materialize.RETRIES
    assert "cannot be reached" in runs.failure(run)
    assert world.api.seen == []
