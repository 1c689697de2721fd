"""Translates errors of drivers and of dlt into those of this project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dlt.pipeline.exceptions import PipelineStepFailed

from sync_assets.base import stop
from sync_assets.base.errors import SyncError
from sync_assets.base.secrets import clean
from sync_assets.warehouse.connection.transient import failure_of


@contextmanager
def translate_errors(dataset: str) -> Iterator[None]:
    """Turn errors of a driver into a `WarehouseError`, or `WarehouseLostError` if they may pass.

    After a stop it raises `Stopped`, because what was executing was cancelled.
    """
    try:
        yield
    except SyncError:
        raise
    except Exception as error:  # noqa: BLE001 - each destination has a driver of its own
        stop.current().check()
        clean(error)
        raise failure_of(error, f"{dataset}: the warehouse failed") from None


def plain(error: PipelineStepFailed, what: str) -> BaseException:
    """Return our own error that lies below an error of a dlt step, if there is one.

    A stop stays a stop and is not a failure.
    """
    clean(error)
    if stop.current().is_requested:
        return stop.current().stopped
    cause: BaseException = error
    while cause.__cause__ is not None or isinstance(cause.__context__, SyncError):
        cause = cause.__cause__ or cause.__context__ or cause
        if isinstance(cause, (SyncError, KeyboardInterrupt)):
            return cause
    return failure_of(error, what)
