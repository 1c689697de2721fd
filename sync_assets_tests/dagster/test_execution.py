"""Executors and machines by environment, and the refusal of what would not work."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_job

from sync_assets.base import times
from sync_assets.base.errors import ConfigurationError
from sync_assets.cli import main
from sync_assets.definitions import defs
from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.lib.instance.executor import backfill_policy, build_executor
from sync_assets.warehouse.machines import ExecutionSettings, execution
from sync_assets_tests.support.dagster_world import PARTITION_SENSOR, DagsterRuns, keys_of
from sync_assets_tests.support.three_promotions import offer, promotion
from sync_assets_tests.support.world import APIS, World

CELERY = {
    "module": "dagster_celery.launcher",
    "class": "CeleryRunLauncher",
    "config": {"broker": "redis://127.0.0.1:1/0", "backend": "redis://127.0.0.1:1/0"},
}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EXECUTION__EXECUTOR", "threads"),
        ("EXECUTION__EXECUTOR", "Celery"),
        ("EXECUTION__MACHINES", "2"),
        ("EXECUTION__PARTITIONS_PER_RUN", "-1"),
        ("EXECUTION__PARTITIONS_PER_RUN", "all"),
    ],
)
def test_a_wrong_word_is_named_with_its_variable(world: World, variable: str, value: str) -> None:
    world.monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        execution()


@pytest.mark.parametrize("kind", ["duckdb", "dlt.destinations.duckdb", "ducklake", None])
@pytest.mark.parametrize(
    ("variable", "value"), [("EXECUTION__MACHINES", "many"), ("EXECUTION__EXECUTOR", "celery")]
)
def test_a_duckdb_file_is_refused_where_many_machines_write(
    world: World, variable: str, value: str, kind: str | None
) -> None:
    world.monkeypatch.delenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE")
    if kind:
        world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", kind)
    world.monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match="DESTINATION_TYPE=postgres") as caught:
        defs()
    assert f"{variable}={value}" in str(caught.value)
    assert main([]) == 1
    assert world.api.seen == []


@pytest.mark.parametrize("kind", ["postgres", "motherduck", "dlt.destinations.snowflake"])
def test_servers_are_not_refused(world: World, kind: str) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", kind)
    world.monkeypatch.setenv("EXECUTION__MACHINES", "many")
    assert execution().machines == "many"


@pytest.mark.parametrize("missing", ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"])
def test_celery_needs_a_broker_and_a_backend(world: World, missing: str) -> None:
    for variable in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        world.monkeypatch.setenv(variable, "redis://127.0.0.1:1/0")
    world.monkeypatch.delenv(missing)
    with pytest.raises(ConfigurationError, match=f"{missing} is not set"):
        build_executor(ExecutionSettings(executor="celery"))


def test_celery_needs_packages_and_says_which(world: World) -> None:
    for variable in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        world.monkeypatch.setenv(variable, "redis://127.0.0.1:1/0")
    world.monkeypatch.setitem(sys.modules, "dagster_celery", None)  # as if it were not installed
    with pytest.raises(ConfigurationError, match=r"install sync-assets\[cluster\]"):
        build_executor(ExecutionSettings(executor="celery"))


@pytest.mark.parametrize("name", ["in_process", "multiprocess", "celery"])
def test_each_executor_is_the_one_of_all_jobs(world: World, name: str) -> None:
    world.monkeypatch.setenv("EXECUTION__EXECUTOR", name)
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    for variable in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        world.monkeypatch.setenv(variable, "redis://127.0.0.1:1/0")
    loaded = defs()
    jobs = [loaded.resolve_implicit_global_asset_job_def(), loaded.resolve_job_def("events_prune")]
    assert {job.executor_def.name for job in jobs} == {name}


@contextmanager
def launching(folder: Path, launcher: Mapping[str, Any]) -> Iterator[dg.DagsterInstance]:
    """An instance whose runs are launched by something else than Dagster's own launcher."""
    overrides = {"run_launcher": launcher}
    with dg.DagsterInstance.local_temp(str(folder), overrides=overrides) as instance:
        yield instance


def refusal(name: str, instance: dg.DagsterInstance) -> str:
    """With what an executor refuses an instance."""
    made = build_executor(ExecutionSettings(executor=name))
    job = InMemoryJob(dg.GraphDefinition("nothing").to_job())
    context = dg.InitExecutorContext(job, made, {"retries": {"enabled": {}}}, instance)
    with pytest.raises(dg.DagsterInvariantViolationError) as caught:
        made.executor_creation_fn(context)  # type: ignore[misc]
    return str(caught.value)


@pytest.mark.parametrize("name", ["multiprocess", "celery"])
def test_what_fails_below_the_celery_launcher_is_refused(world: World, name: str) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    for variable in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        world.monkeypatch.setenv(variable, "redis://127.0.0.1:1/0")
    with launching(world.folder, CELERY) as instance:
        assert "Set EXECUTION__EXECUTOR=in_process" in refusal(name, instance)


def execute(instance: dg.DagsterInstance, *asset: str) -> dg.JobExecutionResult:
    """Run an asset as a run worker does: by the executor of its job."""
    repository = ReconstructableRepository.for_module("sync_assets.definitions", "defs")
    job = repository.get_reconstructable_job("__ASSET_JOB")
    return execute_job(job, instance, asset_selection=[dg.AssetKey(asset)])


@pytest.mark.long
def test_a_run_that_another_machine_may_do_refuses_a_duckdb_file(world: World) -> None:
    with launching(world.folder, CELERY) as instance:
        run = execute(instance, "affiliates", "coupons")
    (failure,) = [event for event in run.all_events if event.is_job_failure]
    message = str(failure.job_failure_data.error)
    assert "CeleryRunLauncher" in message
    assert "DESTINATION__WAREHOUSE__DESTINATION_TYPE=postgres" in message
    assert world.api.seen == []


@pytest.mark.long
def test_a_run_by_several_processes_syncs(world: World) -> None:
    offer(world.api)
    world.monkeypatch.setenv("EXECUTION__EXECUTOR", "multiprocess")
    with dg.DagsterInstance.local_temp(str(world.folder)) as instance:
        assert execute(instance, "promotions", "promotions").success
    assert len(world.ids("promotions.promotions")) == 3


def test_a_backfill_is_cut_into_runs() -> None:
    assert backfill_policy(ExecutionSettings()) == dg.BackfillPolicy.single_run()
    cut = backfill_policy(ExecutionSettings(partitions_per_run=5))
    assert cut == dg.BackfillPolicy.multi_run(5)


@pytest.mark.long
def test_what_sensors_and_schedules_request_is_cut_into_runs(world: World, tmp_path: Path) -> None:
    offer(world.api)
    world.api.lists["/promotions"] = [promotion(identity) for identity in "123"]
    world.monkeypatch.setenv("EXECUTION__PARTITIONS_PER_RUN", "2")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = DagsterRuns(instance, definitions=build_api_definitions(APIS["promotions"]))
        assert runs.run("promotions/promotions").success
        result = runs.tick(PARTITION_SENSOR)
        assert isinstance(result, dg.SensorResult)
        keys = instance.get_dynamic_partitions("promotions")
        first = result.run_requests or []
        assert [keys_of(request) for request in first] == [keys[:2], keys[2:]]
        assert len({request.run_key for request in first}) == 2
        fresh = runs.tick("promotions_freshness")
        assert isinstance(fresh, dg.SensorResult)
        for request in first:
            assert runs.run_request(request).success
        later = times.now() + timedelta(minutes=31)
        world.monkeypatch.setattr(times, "now", lambda: later)
        scheduled = runs.schedule("promotions_promotions_hourly")
        for requests in (fresh.run_requests or [], scheduled):
            below = [keys_of(request) for request in requests if not request.asset_selection]
            assert [len(one) for one in below] == [2, 1]
            assert sorted(key for one in below for key in one) == sorted(keys)
