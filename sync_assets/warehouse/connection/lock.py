"""Admits one writer at a time to a warehouse that allows only one; every wait is reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from sync_assets.base import stop
from sync_assets.warehouse.connection.checkpoint import checkpointed, open_guarded
from sync_assets.warehouse.connection.database_file import refuse_unusable
from sync_assets.warehouse.errors import WarehouseBusyError, WarehouseError

#: Seconds between two words about one wait, and for which a foreign program is waited for.
SAY_EVERY_SECONDS = 10.0
FOREIGN_PROGRAM_SECONDS = 300.0


def silent(message: str) -> None:
    """Report nothing."""


@contextmanager
def single_writer(
    database: Path | None, say: Callable[[str], None], *, patience: float = inf
) -> Iterator[None]:
    """Hold the lock that allows opening a DuckDB file; servers (None) need none.

    The kernel frees the lock when the process ends. Another sync is waited for, for `patience`
    seconds, and then `WarehouseBusyError` is raised. A foreign program that has the file open is
    waited for too; in the end a `WarehouseError` names its PID. At the end a checkpoint moves what
    was committed into the file.
    """
    if database is None:
        yield
        return
    refuse_unusable(database)
    lock = FileLock(f"{database}.lock")
    _refuse_foreign(Path(lock.lock_file), database)
    connection = _opened(lock, database, _Wait(database, say, patience))
    try:
        with checkpointed(connection, database, say):
            yield
    finally:
        lock.release()


class _Wait:
    """A wait for a file: how long it lasts, how long it may last, and who gets reports."""

    def __init__(self, database: Path, say: Callable[[str], None], patience: float) -> None:
        self.database, self.say, self.patience = database, say, patience
        self.started = time.monotonic()
        self._what = "another sync"
        self._said: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def left(self) -> float:
        """Return the seconds that are left; raise `WarehouseBusyError` if there are none."""
        stop.current().check()
        if self.seconds >= self.patience:
            raise WarehouseBusyError(f"{self.database.name} is in use by {self._what}")
        return self.patience - self.seconds

    def tell(self, what: str, why: str) -> None:
        """Report what is waited for, at intervals."""
        self._what = what
        if time.monotonic() - self._said.get(what, -inf) >= SAY_EVERY_SECONDS:
            self._said[what] = time.monotonic()
            self.say(f"waiting for {self.database.name}: {why}")


def _refuse_foreign(file: Path, database: Path) -> None:
    """Refuse a lock file that is not empty, because taking the lock empties it."""
    if file.exists() and (not file.is_file() or file.stat().st_size):
        raise WarehouseError(
            f"{file} is not empty, so it is not the lock of {database.name} but somebody else's. "
            "Move it away, or give DESTINATION__WAREHOUSE__CREDENTIALS another path."
        )


def _opened(lock: FileLock, database: Path, wait: _Wait) -> duckdb.DuckDBPyConnection:
    while True:
        _acquire(lock, wait)
        try:
            return open_guarded(database, wait.say)
        except BaseException as error:
            lock.release()  # while a foreign program is waited for others need not wait for us
            if not isinstance(error, duckdb.Error):
                raise
            _check_foreign(error, database, wait)
        stop.current().wait(min(0.5, wait.left()))


def _acquire(lock: FileLock, wait: _Wait) -> None:
    while True:
        try:
            return _take(lock, min(1.0, wait.left()))
        except Timeout:
            why = f"another sync is using it ({wait.seconds:.0f} s so far)"
            wait.tell("another sync", why)


def _take(lock: FileLock, seconds: float) -> None:
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise
    except (OSError, NotImplementedError) as error:  # filelock 3: no flock on this disk
        database = lock.lock_file.removesuffix(".lock")
        raise WarehouseError(
            f"{database} cannot be written: {getattr(error, 'strerror', None) or error}, "
            f"{lock.lock_file}. Give DESTINATION__WAREHOUSE__CREDENTIALS a path in a directory "
            "that this user may write to, and remove the lock file if it is somebody else's."
        ) from None


def _check_foreign(error: duckdb.Error, database: Path, wait: _Wait) -> None:
    """Raise unless an error means that a foreign program has the file open, for not too long."""
    if isinstance(error, duckdb.ConnectionException):
        raise WarehouseError(
            f"{database} is already open in this process, in another way than a sync opens it: "
            f"{error}. Close that connection."
        ) from None
    if not isinstance(error, duckdb.IOException):
        raise WarehouseError(f"{database} is not a usable DuckDB file: {error}") from None
    if "Could not set lock" not in str(error) or wait.seconds > FOREIGN_PROGRAM_SECONDS:
        raise WarehouseError(
            f"{database} cannot be opened for writing: {error}. It is what "
            "DESTINATION__WAREHOUSE__CREDENTIALS names."
        ) from None
    wait.tell("another program", str(error))
