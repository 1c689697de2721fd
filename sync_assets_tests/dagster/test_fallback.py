"""A Dagster that is not as our classes expect starts with its own, and says so once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dagster as dg
import dagster_celery.launcher
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster_postgres import PostgresEventLogStorage

from sync_assets.lib.instance import celery_launcher, postgres_storage, sqlite_event_log
from sync_assets_tests.dagster.test_celery_launcher import CELERY
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.storages import cluster_instance

ASSET = dg.AssetKey("a")


def other_signature(*args: Any, **kwargs: Any) -> Any:
    """What a function is after an upgrade that changed its arguments."""
    raise TypeError("unexpected keyword argument")


def test_sqlite_goes_on_where_an_attribute_is_not_as_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_event_log, "create_engine", other_signature)
    with pytest.warns(RuntimeWarning, match="not as the event log on SQLite .* expects"):
        made = local_instance(tmp_path)
    with made as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        instance.report_runless_asset_event(dg.AssetMaterialization("a", partition="1"))
        assert instance.get_materialized_partitions(ASSET) == {"1"}


def test_sqlite_goes_on_where_a_module_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sync_assets.lib.instance.sqlite_event_log", None)
    with pytest.warns(RuntimeWarning, match="not as the event log"), local_instance(tmp_path) as it:
        assert type(it.event_log_storage) is SqliteEventLogStorage


@pytest.mark.long
def test_postgres_goes_on_where_an_attribute_is_not_as_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_storage, "create_engine", other_signature)
    with (
        pytest.warns(RuntimeWarning, match="not as the event log on Postgres"),
        cluster_instance(tmp_path) as instance,
    ):
        assert type(instance.event_log_storage) is PostgresEventLogStorage


def test_the_launcher_asks_as_dagsters_own_where_it_knows_no_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dagster_celery.tags", None)
    asked: list[str] = []
    monkeypatch.setattr(
        dagster_celery.launcher.CeleryRunLauncher,
        "check_run_worker_health",
        lambda self, run: asked.append(run.run_id),
    )
    with dg.DagsterInstance.local_temp(str(tmp_path), {"run_launcher": CELERY}) as instance:
        with pytest.warns(RuntimeWarning, match="not as the Celery run launcher"):
            launcher: Any = instance.run_launcher
        assert isinstance(launcher, celery_launcher.CeleryRunLauncher)
        run = instance.create_run_for_job(
            dg.JobDefinition(name="j", graph_def=dg.GraphDefinition(name="j"))
        )
        launcher.check_run_worker_health(run)
        assert asked == [run.run_id]
