"""Postgres and Redis of a test's own, which it may stop and start again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from sync_assets_tests.support.dev import free_port, wait_for
from sync_assets_tests.support.services import unavailable

BINARIES = Path("/usr/lib/postgresql")
AS_USER = "postgres" if os.geteuid() == 0 else None  # Postgres refuses to run as root


@dataclass
class PostgresServer:
    """A server with its data in a folder."""

    folder: Path
    port: int

    def url(self, database: str) -> str:
        """How to reach a database."""
        return f"postgresql://postgres:x@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> None:
        """A new database."""
        with closing(psycopg2.connect(self.url("postgres"))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {database}")

    def start(self) -> None:
        """Start, and return once it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= " + (
            "-c max_connections=300 -c fsync=off"
        )
        log = str(self.folder / "log")
        _run(["pg_ctl", "-w", "-D", str(self.folder), "-l", log, "-o", options, "start"])

    def stop(self) -> None:
        """Stop at once, whoever is connected."""
        _run(["pg_ctl", "-w", "-D", str(self.folder), "-m", "fast", "stop"])


@contextmanager
def own_postgres() -> Iterator[PostgresServer]:
    """A server that nobody else uses."""
    # not in pytest's folder, which other users than pytest's may not enter
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        if AS_USER:
            shutil.chown(folder, AS_USER)
        server = PostgresServer(folder, free_port())
        _run(["initdb", "-D", name, "-U", "postgres", "-A", "trust", "--no-sync"])
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _run(command: list[str]) -> None:
    found = shutil.which(command[0], path=os.pathsep.join(map(str, BINARIES.glob("*/bin"))))
    if found is None:
        unavailable(f"no {command[0]} of a Postgres server in {BINARIES}")
    done = subprocess.run(
        [found, *command[1:]],
        user=AS_USER,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server would keep a pipe open
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, command


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def own_redis(folder: Path) -> Iterator[int]:
    """A server that nobody else uses; gives its port."""
    if shutil.which("redis-server") is None:
        unavailable("no redis-server")
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: True if _answers(port) else None, 30, every=0.1)
        assert process.poll() is None
        yield port
    finally:
        process.kill()
        process.wait()
