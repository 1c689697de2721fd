"""What drivers and dlt raise, as the errors of this project."""

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
    """What a driver raises is a `WarehouseError`: lost, where it may be over soon.

    After a stop it is `Stopped`: what was executing was cancelled.
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
    """What a step of dlt failed with: our own error where one lies below it.

    A stop that lies below it is no failure, and stays one.
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
