"""The documented way from a laptop to a cluster, walked in a fresh copy: each line as it stands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import RealDictCursor

from sync_assets.base.times import parse_time
from sync_assets.sandbox import Account
from sync_assets_tests.support.dagster_world import assert_equal_to_the_account
from sync_assets_tests.support.dev import Dev
from sync_assets_tests.support.project import ROOT, copy_project, type_in, uv_environment
from sync_assets_tests.support.readme_cluster import SET_UP, STARTED, Ports
from sync_assets_tests.support.servers import own_postgres, own_redis
from sync_assets_tests.support.services import unavailable

pytestmark = pytest.mark.long

NOW = "2026-03-01T12:00:00Z"
FIVE_MINUTES = 300.0


@contextmanager
def started(folder: Path, lines: Sequence[str], variables: Mapping[str, str]) -> Iterator[None]:
    """Each line in a shell of its own with a log, until the block ends."""
    shells = []
    try:
        for number, line in enumerate(lines):
            with (folder / f"{number}.log").open("ab") as log:
                shells.append(
                    subprocess.Popen(
                        ["bash", "-c", line],
                        cwd=folder,
                        env=variables,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        yield
        assert [shell.poll() for shell in shells] == [None] * len(lines)
    finally:
        for shell in shells:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()


def test_the_section_makes_a_cluster_that_fills_its_warehouse(tmp_path: Path) -> None:
    if shutil.which("uv") is None:
        unavailable("no uv, with which the documented commands begin")
    folder = copy_project(tmp_path)
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    with own_postgres() as postgres, own_redis(folder / "redis") as redis:
        ports = Ports(postgres.port, redis)
        machine = {  # as a Postgres at its usual port and an environment that `uv run` made
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": "postgres",
            **uv_environment(),
            "SANDBOX__NOW": NOW,
        }
        shell = type_in(folder, ports.there(SET_UP), machine)
        lines = ports.there(STARTED).splitlines()
        with started(folder, lines, shell):
            Dev(ports.web).wait_for_everything(FIVE_MINUTES)

        def rows(table: str) -> list[dict[str, Any]]:
            with closing(psycopg2.connect(postgres.url("warehouse"))) as connection:
                cursor = connection.cursor(cursor_factory=RealDictCursor)
                cursor.execute(f"SELECT * FROM {table.replace('.', '_sandbox.')}")  # noqa: S608
                return [dict(row) for row in cursor.fetchall()]

        for number, line in enumerate(lines):
            if "celery" in line:
                assert "Task execute_job" in (folder / f"{number}.log").read_text(), line
        now = parse_time(NOW)
        assert now is not None
        assert_equal_to_the_account(Account(clock=now.timestamp), rows)
