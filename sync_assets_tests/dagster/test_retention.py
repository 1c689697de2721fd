"""The retention job: a dry run tells, a real one removes what is old and newest of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets.base.errors import ConfigurationError
from sync_assets.lib.alerts.incidents import failed_checks
from sync_assets.lib.retention.job import VARIABLE, build_retention_definitions
from sync_assets.lib.retention.old_runs import LOCATION
from sync_assets_tests.support.dagster_world import LOADED, PARTITION_SENSOR, DagsterRuns
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.storages import cluster_instance
from sync_assets_tests.support.three_promotions import offer
from sync_assets_tests.support.world import World

TABLES = ("promotions/promotions", "promotions/organizing_brands")
DAY = timedelta(days=1)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many days pass."""

    def pass_days(days: int) -> None:
        then = times.now() + days * DAY
        monkeypatch.setattr(times, "now", lambda: then)

    return pass_days


@pytest.fixture(params=[local_instance, cluster_instance], ids=["SQLite", "Postgres"])
def synced(request: pytest.FixtureRequest, world: World) -> Iterator[DagsterRuns]:
    """An instance after the first sync, on the storage of a laptop and on that of a cluster."""
    offer(world.api)
    made: AbstractContextManager[dg.DagsterInstance] = request.param(world.folder)
    with made as instance:
        runs = DagsterRuns(instance)
        runs.first_sync()
        yield runs


def retain(runs: DagsterRuns, **config: Any) -> tuple[dg.ExecuteInProcessResult, str]:
    """Run the job; its result and what it said."""
    run = LOADED.resolve_job_def("retention").execute_in_process(
        run_config={"ops": {"remove_old_runs": {"config": config}}},
        instance=runs.instance,
        raise_on_error=False,
    )
    return run, "\n".join(entry.user_message for entry in runs.instance.all_logs(run.run_id))


def ids(runs: DagsterRuns) -> list[str]:
    """The runs, the oldest first."""
    return [record.dagster_run.run_id for record in runs.instance.get_run_records(ascending=True)]


def files_of(world: World, run_id: str) -> list[Path]:
    return [path for path in world.folder.rglob("*") if run_id in str(path) and path.is_file()]


def known(runs: DagsterRuns) -> dict[str, Any]:
    """What the UI and the sensors know: partitions, metadata, evaluations, incidents."""
    instance, graph = runs.instance, runs.definitions.resolve_asset_graph()
    assets = [key for key in graph.get_all_asset_keys() if key.path[0] == "promotions"]
    storage = instance.event_log_storage
    event = dg.DagsterEventType.ASSET_MATERIALIZATION
    checks = sorted(graph.asset_check_keys)
    found = storage.get_latest_asset_check_execution_by_key(checks)
    return {
        "partitions": [storage.get_latest_storage_id_by_partition(key, event) for key in assets],
        "newest": [runs.metadata(key.to_user_string()) for key in sorted(assets)],
        "evaluations": {key: (record.run_id, record.status) for key, record in found.items()},
        "incidents": failed_checks(instance, checks),
    }


@pytest.mark.long
def test_what_is_newest_stays_and_the_rest_goes_without_a_trace(
    synced: DagsterRuns, world: World, later: Callable[[int], None]
) -> None:
    first = ids(synced)
    assert synced.run(*TABLES).success
    world.api.fail("/users/2", status=400)
    partial = synced.run_range("promotions", "promotions/users")
    assert not partial.success
    world.api.heal()
    synced.begin(frozenset([dg.AssetKey(["promotions", "users"])]), {}, dg.DagsterRunStatus.STARTED)
    before, all_runs = known(synced), ids(synced)
    assert before["incidents"]
    later(40)
    run, said = retain(synced)
    assert "would be removed; run again with dry_run: false" in said
    assert ids(synced) == [*all_runs, run.run_id]

    run, said = retain(synced, dry_run=False)
    assert "5 runs ended more than 30 days ago; 3 of them hold the newest" in said
    assert "2 runs, and 0 events of no run, are removed" in said  # the dry run is as old by now
    assert set(all_runs) - set(ids(synced)) == {first[0]}
    assert files_of(world, first[0]) == []
    assert files_of(world, first[1])
    assert known(synced) == before
    assert run.run_id in ids(synced)


def left_of_no_run(runs: DagsterRuns) -> dict[str, int]:
    """How many rows of no run the event log has."""
    log: Any = runs.instance.event_log_storage
    counts = {}
    with log.index_connection() as connection:
        for table in ("event_logs", "asset_check_executions"):
            query = f"SELECT count(*) FROM {table} WHERE run_id = ''"  # noqa: S608 - our names
            counts[table] = int(connection.exec_driver_sql(query).scalar())
    return counts


@pytest.mark.long
def test_events_of_no_run_go_but_for_the_newest_of_each_kind(
    synced: DagsterRuns, later: Callable[[int], None]
) -> None:
    users = dg.AssetKey(["promotions", "users"])
    for passed in (True, False, True):
        synced.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=users, check_name="fresh", passed=passed)
        )
        for key in "12":
            synced.instance.report_runless_asset_event(
                dg.AssetMaterialization(users, partition=key)
            )
    before = known(synced)
    later(40)
    said = retain(synced)[1]
    assert "and 6 events of no run, would be removed" in said
    retain(synced, dry_run=False)
    assert known(synced) == before
    assert left_of_no_run(synced) == {"event_logs": 3, "asset_check_executions": 1}


@pytest.mark.long
def test_after_it_the_sensors_ask_for_what_they_asked_for_before(
    synced: DagsterRuns, later: Callable[[int], None]
) -> None:
    synced.run(*TABLES)
    followed = synced.tick(PARTITION_SENSOR)
    assert isinstance(followed, dg.SensorResult)
    later(40)

    def requested() -> list[tuple[list[dg.AssetKey], dict[str, str]]]:
        result = synced.tick("promotions_freshness")
        assert isinstance(result, dg.SensorResult)
        return [(sorted(r.asset_selection or []), dict(r.tags)) for r in result.run_requests or ()]

    before = requested()
    assert before
    assert "1 runs, and 0 events of no run, are removed" in retain(synced, dry_run=False)[1]
    assert requested() == before
    again = synced.tick(PARTITION_SENSOR, followed.cursor)
    assert "nothing new" in str(getattr(again, "skip_message", ""))


@pytest.mark.long
def test_runs_and_events_of_another_code_location_stay(
    synced: DagsterRuns, later: Callable[[int], None]
) -> None:
    instance, theirs = synced.instance, dg.AssetKey(["theirs"])
    tags = {LOCATION: "__repository__@another"}
    job = synced.definitions.resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.SUCCESS)
    for passed in (True, False):
        instance.report_runless_asset_event(dg.AssetMaterialization(theirs))
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=theirs, check_name="theirs", passed=passed)
        )
    before = left_of_no_run(synced)
    later(40)
    retain(synced, dry_run=False)
    assert run.run_id in ids(synced)
    assert left_of_no_run(synced) == before


@pytest.mark.long
def test_young_and_unfinished_runs_stay(synced: DagsterRuns, later: Callable[[int], None]) -> None:
    synced.run(*TABLES)
    later(6)
    before = ids(synced)
    retain(synced, dry_run=False, keep_days=7)
    assert ids(synced)[:-1] == before
    later(3)
    retain(synced, dry_run=False, keep_days=7)
    assert before[0] not in ids(synced)


def test_days_that_are_none_remove_nothing(runs: DagsterRuns) -> None:
    run, _ = retain(runs, dry_run=False, keep_days=0)
    assert "keep_days must be at least 1" in runs.failure(run)


def test_the_schedule_removes_only_where_that_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def schedule() -> tuple[dg.ScheduleDefinition, Any]:
        made = build_retention_definitions().resolve_schedule_def("retention_weekly")
        context = dg.build_schedule_context(scheduled_execution_time=times.now())
        return made, made.evaluate_tick(context)

    made, data = schedule()
    assert made.default_status == dg.DefaultScheduleStatus.STOPPED
    assert not data.run_requests
    monkeypatch.setenv(VARIABLE, "45")
    made, data = schedule()
    assert made.default_status == dg.DefaultScheduleStatus.RUNNING
    (request,) = data.run_requests
    (config,) = request.run_config["ops"].values()
    assert config == {"config": {"dry_run": False, "keep_days": 45}}
    monkeypatch.setenv(VARIABLE, "-1")
    with pytest.raises(ConfigurationError, match=VARIABLE):
        build_retention_definitions()
