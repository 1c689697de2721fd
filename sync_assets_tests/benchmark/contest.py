"""The contest: one account behind one server, and each contender a fresh process beside it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync_assets.sandbox import SECRETS, Account, Sandbox
from sync_assets_tests.benchmark import limit
from sync_assets_tests.benchmark.contenders import IN_FLIGHT, Contender
from sync_assets_tests.benchmark.truth import SOURCE, verify
from sync_assets_tests.support.project import OURS, ROOT

LOOK_SECONDS = 0.002


@dataclass(frozen=True)
class Result:
    """What one process took; `sync` is from its first request to its last commit, if it tells."""

    process: float
    sync: float | None
    requests: int


@contextmanager
def serve(account: Account, latency: float) -> Iterator[Sandbox]:
    """The server in this process, which only waits; warm, so that nobody pays for its rows."""
    with Sandbox(account, latency=latency) as sandbox:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            limit.run(sandbox.base_url(SOURCE), SECRETS[SOURCE], Path(folder) / "warm.duckdb")
        yield sandbox


def contend(contender: Contender, sandbox: Sandbox, account: Account) -> Result:
    """Run a contender in a process of its own; raises unless its rows are the account's."""
    base_url, before = sandbox.base_url(SOURCE), sandbox.requests
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, _Watch(sandbox) as watch:
        database = Path(folder) / "benchmark.duckdb"
        command = contender.command(base_url, SECRETS[SOURCE], database)
        started = time.time()
        done = subprocess.run(
            command,
            env=_environment(base_url, database),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        process = time.time() - started
        if done.returncode:
            raise RuntimeError(f"{contender.title} failed:\n{done.stdout}{done.stderr}")
        verify(contender, database, account)
    ended = float(done.stdout.splitlines()[-1]) if contender.module else None
    return Result(process, ended and ended - watch.first, sandbox.requests - before)


class _Watch(threading.Thread):
    """Sees when the next request comes in."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(daemon=True)
        self._sandbox, self._before, self._over = sandbox, sandbox.requests, False
        self.first = 0.0

    def run(self) -> None:
        """Look until there is one."""
        while self._sandbox.requests == self._before and not self._over:
            time.sleep(LOOK_SECONDS)
        self.first = time.time()

    def __enter__(self) -> _Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self.join()


def _environment(base_url: str, database: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {
        **kept,
        "SOURCES__PROMOTIONS__BASE_URL": base_url,
        "SOURCES__PROMOTIONS__BEARER_TOKEN": SECRETS[SOURCE],
        "SOURCES__PROMOTIONS__MAX_CONCURRENCY": str(IN_FLIGHT),
        "SOURCES__PROMOTIONS__REQUESTS_PER_MINUTE": "0",
        "DESTINATION__WAREHOUSE__DESTINATION_TYPE": "duckdb",
        "DESTINATION__WAREHOUSE__CREDENTIALS": str(database),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "TMPDIR": str(database.parent),  # nobody keeps a page from one round to the next
    }
