"""Syncs in processes of their own, which may be killed: forks of one that has imported all."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Literal

from sync_assets.base.errors import SyncError
from sync_assets.sources import apis
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.observers import Hearing

OURS = ("SOURCES__", "DESTINATION__", "RUNTIME__", "SANDBOX__", "QUOTA__")
PATIENCE = 180.0
FORKS = multiprocessing.get_context("forkserver")
IMPORTED_LATE = [
    "sqlalchemy",
    "pyarrow.parquet",
    "dlt.destinations.impl.duckdb.duck",
    "dlt.destinations.impl.postgres.postgres",
]
FORKS.set_forkserver_preload([__name__, *IMPORTED_LATE])
get_temp_dir()  # of its socket, made before a test sets `tempdir` to a folder with a long name


@dataclass(frozen=True)
class Task:
    """What a process is to sync."""

    source: str
    resources: Sequence[str]
    parents: Mapping[str, Sequence[str]] | None = None
    allow_empty: bool = False
    read: Literal["sweep", "heads"] = "sweep"


@dataclass
class Done:
    """What came of a sync: rows and error of each list, what was said, and why it failed.

    `peak` is the most memory that its process ever had, in MB.
    """

    rows: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    failure: str | None = None
    seconds: float = 0.0
    peak: float = 0.0

    @property
    def green(self) -> bool:
        """Whether nothing at all went wrong."""
        return self.failure is None and not self.errors


class Worker:
    """A process that syncs what it is told, one task after the other."""

    def __init__(self, scratch: Path, user: int | None = None, **environment: str) -> None:
        ours, theirs = FORKS.Pipe()
        ambient = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
        self._connection = ours
        self._said: list[str] = []
        self._done: Done | None = None
        self._process = FORKS.Process(
            target=_serve,
            args=(theirs, {**ambient, **environment}, str(scratch), user),
            daemon=True,
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def start(self, task: Task) -> None:
        """Begin a sync."""
        self._connection.send(task)

    def busy(self) -> bool:
        """Whether the sync that was begun goes on."""
        while self._done is None and self._connection.poll(0):
            self._receive()
        return self._done is None

    def hear(self) -> str:
        """Wait for something that the sync says."""
        while not self._said:
            assert self._done is None, "the sync ended in silence"
            self._receive()
        return self._said[0]

    def result(self) -> Done:
        """Wait for the sync that was begun."""
        while self._done is None:
            self._receive()
        done, self._done = self._done, None
        done.said, self._said = self._said, []
        return done

    def _receive(self) -> None:
        assert self._connection.poll(PATIENCE), "the sync does not end"
        received = self._connection.recv()
        if isinstance(received, Done):
            self._done = received
        else:
            self._said.append(received)

    def sync(self, task: Task) -> Done:
        """Begin a sync and wait for it."""
        self.start(task)
        return self.result()

    def wait(self) -> None:
        """Wait until the process is gone, which somebody else kills."""
        self._process.join(PATIENCE)
        assert not self._process.is_alive(), "nobody kills the process"

    def kill(self) -> None:
        """End the process as the kernel does when memory runs out: kill -9."""
        self._process.kill()
        self._process.join()
        self._connection.close()


@contextmanager
def workers(number: int, scratch: Path, **environment: str) -> Iterator[list[Worker]]:
    """Several processes, gone afterwards."""
    made = [Worker(scratch, None, **environment) for _ in range(number)]
    try:
        yield made
    finally:
        for worker in made:
            worker.kill()


def together(pairs: Sequence[tuple[Worker, Task]]) -> list[Done]:
    """Begin all syncs at once, and wait for all."""
    for worker, task in pairs:
        worker.start(task)
    return [worker.result() for worker, _ in pairs]


def _serve(
    connection: Connection, environment: Mapping[str, str], scratch: str, user: int | None
) -> None:
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(environment)
    tempfile.tempdir = scratch
    if user is not None:
        os.setgid(user)
        os.setuid(user)
    try:
        while True:
            connection.send(_synced(connection.recv(), connection.send))
    except (EOFError, ConnectionError):  # the test is over
        return


def _synced(task: Task, say: Callable[[str], None]) -> Done:
    done, started = Done(), time.monotonic()
    request = Request(
        apis()[task.source], task.resources, task.parents, task.allow_empty, read=task.read
    )
    try:
        result = sync(request, Hearing(say))
    except SyncError as error:
        done.failure = str(error)
    else:
        done.rows = {listing.name: listing.rows for listing in result.listings.values()}
        done.errors = {listing.name: str(listing.error) for listing in result.failed()}
    done.seconds = time.monotonic() - started
    done.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return done
