"""One writer at a time, where the warehouse allows only one: waiting is said, never silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from sync_assets.warehouse.checkpoint import checkpointed, open_guarded
from sync_assets.warehouse.errors import WarehouseBusyError, WarehouseError
from sync_assets.warehouse.file import refuse_unusable

SAY_EVERY = 10.0
FOREIGN_PROGRAM_LIMIT = 300.0


def silent(message: str) -> None:
    """Say nothing: nobody listens."""


@contextmanager
def exclusive(
    database: Path | None, say: Callable[[str], None], *, patience: float = inf
) -> Iterator[None]:
    """Hold the right to open a DuckDB file; servers (None) need none.

    The kernel frees the lock with its process, however that ends. Another sync is waited for, for
    `patience` seconds and then with `WarehouseBusyError`; so is a foreign program that keeps the
    file open, in the end with a `WarehouseError` that names its PID. What was committed meanwhile
    is moved into the file at the end.
    """
    if database is None:
        yield
        return
    refuse_unusable(database)
    lock = FileLock(f"{database}.lock")
    _acquire(lock, database, say, patience)
    try:
        with checkpointed(_open(database, say), database):
            yield
    finally:
        lock.release()


def _acquire(lock: FileLock, database: Path, say: Callable[[str], None], patience: float) -> None:
    started = time.monotonic()
    step = 1.0
    while True:
        waited = time.monotonic() - started
        if waited >= patience:
            raise WarehouseBusyError(f"{database.name} is in use by another sync")
        try:
            return _take(lock, min(step, patience - waited))
        except Timeout:
            waited = time.monotonic() - started
            say(f"waiting for {database.name}: another sync is using it ({waited:.0f} s so far)")
            step = SAY_EVERY


def _take(lock: FileLock, seconds: float) -> None:
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise
    except OSError as error:
        database = lock.lock_file.removesuffix(".lock")
        raise WarehouseError(
            f"{database} cannot be written: {error.strerror}, {lock.lock_file}. Give "
            "DESTINATION__WAREHOUSE__CREDENTIALS a path in a directory that this user may write to."
        ) from None


def _open(database: Path, say: Callable[[str], None]) -> duckdb.DuckDBPyConnection:
    started = last = time.monotonic()
    while True:
        try:
            return open_guarded(database, say)
        except duckdb.IOException as error:
            now = time.monotonic()
            if "Could not set lock" not in str(error) or now - started > FOREIGN_PROGRAM_LIMIT:
                raise WarehouseError(
                    f"{database} cannot be opened for writing: {error}. It is what "
                    "DESTINATION__WAREHOUSE__CREDENTIALS names."
                ) from None
            if now - last > SAY_EVERY or last == started:
                say(f"waiting for {database.name}: {error}")
                last = now
            time.sleep(0.5)
        except duckdb.Error as error:
            raise WarehouseError(f"{database} is not a usable DuckDB file: {error}") from None
