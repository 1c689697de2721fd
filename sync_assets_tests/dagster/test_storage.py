"""Dagster's event log with kept connections: the same files, the same answers, few open ones."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy.event

from sync_assets.lib.instance import sqlite_event_log
from sync_assets.lib.instance.postgres_storage import KeptPostgresEventLog
from sync_assets.lib.instance.sqlite_event_log import KeptSqliteEventLog
from sync_assets_tests.support.dev import wait_for
from sync_assets_tests.support.instances import dagsters_sqlite, local_instance
from sync_assets_tests.support.postgres import execute
from sync_assets_tests.support.storages import cluster_instance

ASSET = dg.AssetKey("a")
DIE = """
import os, signal, sys
from pathlib import Path
from typing import Any
import dagster as dg
from sync_assets_tests.support.instances import local_instance
with local_instance(Path(sys.argv[1])) as instance:
    instance.report_runless_asset_event(dg.AssetMaterialization("a", partition="last"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with local_instance(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, KeptSqliteEventLog)
        yield instance


def materialize(instance: dg.DagsterInstance, *keys: str) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization("a", partition=key))


def test_dagsters_own_storage_reads_what_ours_wrote_and_ours_what_it_wrote(tmp_path: Path) -> None:
    with local_instance(tmp_path) as ours:
        materialize(ours, "1")
    with dagsters_sqlite(tmp_path) as theirs:
        assert theirs.get_materialized_partitions(ASSET) == {"1"}
        materialize(theirs, "2")
    with local_instance(tmp_path) as ours:
        assert ours.get_materialized_partitions(ASSET) == {"1", "2"}


def test_threads_take_turns(instance: dg.DagsterInstance) -> None:
    keys = [[f"{thread}-{i}" for i in range(20)] for thread in range(8)]
    threads = [threading.Thread(target=materialize, args=(instance, *part)) for part in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert instance.get_materialized_partitions(ASSET) == {key for part in keys for key in part}


@pytest.mark.long
def test_what_was_recorded_before_a_kill_is_there(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIE, str(tmp_path)], check=False)
    assert died.returncode == -9
    with local_instance(tmp_path) as instance:
        assert instance.get_materialized_partitions(ASSET) == {"last"}


def test_few_files_stay_open(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_event_log, "ENGINES_KEPT", 2)

    @dg.job
    def nothing() -> None:
        pass

    for _ in range(4):
        assert nothing.execute_in_process(instance=instance).success
    assert len(open_shards()) <= 2
    assert len(instance.get_runs()) == 4
    for run in instance.get_runs():
        assert instance.all_logs(run.run_id)


def test_who_watches_a_run_sees_its_events_as_they_come(instance: dg.DagsterInstance) -> None:
    seen: list[str] = []

    def look(entry: dg.EventLogEntry, cursor: str) -> None:
        seen.append(entry.message)

    @dg.op
    def wait_to_be_seen(context) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        instance.watch_event_logs(context.run_id, None, look)
        context.log.info("here I am")
        wait_for(lambda: any("here I am" in message for message in seen) or None, 20)
        instance.end_watch_event_logs(context.run_id, look)

    @dg.job
    def watched() -> None:
        wait_to_be_seen()

    assert watched.execute_in_process(instance=instance).success


def test_a_wiped_storage_is_made_anew(instance: dg.DagsterInstance) -> None:
    materialize(instance, "1")
    instance.wipe()
    assert not instance.get_materialized_partitions(ASSET)
    materialize(instance, "2")
    assert instance.get_materialized_partitions(ASSET) == {"2"}


def test_nothing_stays_open_afterwards(tmp_path: Path) -> None:
    with local_instance(tmp_path) as instance:
        materialize(instance, "1")
        assert open_shards()
    assert not open_shards()


@pytest.mark.long
def test_on_postgres_one_connection_is_kept_and_a_lost_one_made_anew(tmp_path: Path) -> None:
    with cluster_instance(tmp_path) as instance:
        log = instance.event_log_storage
        assert isinstance(log, KeptPostgresEventLog)
        materialize(instance, "1", "2")
        with log.index_connection() as connection:
            name, mine = connection.exec_driver_sql(
                "SELECT current_database(), pg_backend_pid()"
            ).one()
        materialize(instance, "3")
        with log.index_connection() as connection:
            assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() == mine
        execute("postgres", "SELECT pg_terminate_backend(%s)", mine)
        materialize(instance, "4")
        assert instance.get_materialized_partitions(ASSET) == {"1", "2", "3", "4"}
        assert name.startswith("sync_assets")


@pytest.mark.long
@pytest.mark.parametrize("statement", ["INSERT INTO event_logs", "NOTIFY"])
def test_a_connection_that_is_lost_in_a_statement_loses_no_event(
    tmp_path: Path, statement: str
) -> None:
    with cluster_instance(tmp_path) as instance:
        log = instance.event_log_storage
        assert isinstance(log, KeptPostgresEventLog)
        lost: list[int] = []

        def lose(connection: Any, _: object, text: str, *__: object) -> None:
            if text.startswith(statement) and not lost:
                lost.append(connection.connection.dbapi_connection.get_backend_pid())
                execute("postgres", "SELECT pg_terminate_backend(%s)", *lost)

        sqlalchemy.event.listen(log._engine, "before_cursor_execute", lose)
        materialize(instance, "1", "2")
        assert lost
        assert instance.get_materialized_partitions(ASSET) == {"1", "2"}


def open_shards() -> set[Path]:
    """The event log's files that this process has open."""
    table = Path("/proc/self/fd")
    if not table.exists():
        pytest.skip("this system does not tell which files are open")
    files = {link.readlink() for link in table.iterdir() if os.path.lexists(link)}
    return {file for file in files if file.match("history/runs/*.db")}
