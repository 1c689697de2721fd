"""A cluster on one machine: each process has a home, a working directory and scratch alone."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from sync_assets.sandbox import Sandbox
from sync_assets_tests.support import dagster_world, graphql
from sync_assets_tests.support.dev import Dev, wait_for
from sync_assets_tests.support.project import ROOT, environment
from sync_assets_tests.support.readme_cluster import COMMANDS, NAMES, Ports
from sync_assets_tests.support.servers import PostgresServer, own_postgres, own_redis

STATUSES = """{ runsOrError { ... on Runs { results {
  runId status tags { key value } assetSelection { path }
} } } }"""
BINARIES = Path(sys.executable).parent
INSTANCE = (ROOT / "deploy/dagster.yaml").read_text()
OVER = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass
class Cluster:
    """Code server, daemon, webserver and workers over one Postgres and one Redis."""

    folder: Path
    postgres: PostgresServer
    ports: Ports
    variables: dict[str, str]
    instance: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def ui(self) -> Dev:
        """What the UI shows."""
        return Dev(self.ports.web)

    def start(self, name: str) -> None:
        """Start a process, of which there is one of this name."""
        home = self.folder / name
        for part in ("home", "work", "scratch"):
            (home / part).mkdir(parents=True, exist_ok=True)
        (home / "home/dagster.yaml").write_text(self.instance)
        told = self.ports.there(COMMANDS[name.partition("-")[0]]).removeprefix("uv run ")
        program, *arguments = shlex.split(told)
        own = {
            "one@%h": f"{name}@%h",
            "deploy/workspace.yaml": str(ROOT / "deploy/workspace.yaml"),
        }
        command = [str(BINARIES / program), *(own.get(word, word) for word in arguments)]
        apart = {"DAGSTER_HOME": str(home / "home"), "TMPDIR": str(home / "scratch")}
        with (home / "log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=home / "work",
                env=environment(home, **{**self.variables, **apart}),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill a process and all that it started: kill -9, as if its machine had died."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        """What a process wrote."""
        return (self.folder / name / "log").read_text(errors="replace")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Ask the warehouse."""
        connection = psycopg2.connect(self.postgres.url("warehouse"))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            connection.close()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of `dataset.table`."""
        return self.query(f"SELECT * FROM {table}")  # noqa: S608 - our names

    def runs(self) -> list[dict[str, Any]]:
        """All runs, with their tags as a mapping."""
        found = self.ui.ask(STATUSES)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def runs_of(self, backfill: str) -> list[dict[str, Any]]:
        """The runs of a backfill, retries of them too."""
        return [run for run in self.runs() if run["tags"].get("dagster/backfill") == backfill]

    def executed_by(self, run: Mapping[str, Any]) -> str:
        """The worker that took a run."""
        task = str(run["tags"].get("dagster-celery/task_id"))
        names = [name for name in self.running if name.startswith("worker")]
        return next((name for name in names if f"[{task}] received" in self.log(name)), "nobody")

    def shares(self, runs: Sequence[Mapping[str, Any]]) -> Counter[str]:
        """How many runs each worker took."""
        return Counter(map(self.executed_by, runs))

    def backfill(self, assets: Sequence[str], keys: Sequence[str]) -> str:
        """Launch a backfill; gives its id."""
        return graphql.backfill(self.ui, assets, keys)

    def wait_for_backfill(self, identity: str, seconds: float) -> str:
        """Wait until a backfill is over; gives its status."""
        return wait_for(lambda: graphql.ended(self.ui, identity), seconds)

    def wait_for_runs(self, identities: Sequence[str], seconds: float) -> set[str]:
        """Wait until runs are over; gives their statuses."""

        def over() -> set[str] | None:
            statuses = {run["status"] for run in self.runs() if run["runId"] in identities}
            return statuses if statuses <= OVER else None

        return wait_for(over, seconds)


@contextmanager
def cluster(
    folder: Path, sandbox: Sandbox, workers: int, instance: str = INSTANCE, **variables: str
) -> Iterator[Cluster]:
    """A cluster that answers, gone afterwards; `instance` is the `dagster.yaml` of all."""
    with own_postgres() as postgres, own_redis(folder / "redis") as redis:
        ports = Ports(postgres.port, redis)
        given = {
            **dagster_world.environment(sandbox, folder),
            **ports.exports(),
            "EXECUTION__MAX_CONCURRENT_RUNS": str(workers),
            "EXECUTION__PARTITIONS_PER_RUN": "10",
            "AUTOMATION__ENABLED": "false",
            **variables,
        }
        made = Cluster(folder, postgres, ports, given, instance)
        for database in ("dagster", "warehouse"):
            postgres.create(database)
        try:
            for name in [*NAMES[:3], *(f"worker-{number}" for number in range(workers))]:
                made.start(name)
            wait_for(lambda: graphql.loaded(made.ui) or None, 180)
            yield made
        finally:
            for name in list(made.running):
                made.kill(name)
