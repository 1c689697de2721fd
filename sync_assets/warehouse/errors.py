"""What can go wrong on the way into the warehouse."""

from __future__ import annotations

from sync_assets.base.errors import SyncError


class WarehouseError(SyncError):
    """The warehouse cannot be opened, read or written; the message names it and the remedy."""


class WarehouseLostError(WarehouseError):
    """The warehouse does not answer, or failed in the middle: it may be there again soon."""


class TableRefusedError(WarehouseError):
    """A table does not take what a load brings: a constraint of its own, a type, a right."""

    def __init__(self, message: str, table: str) -> None:
        super().__init__(message)
        self.table = table


class WarehouseBusyError(WarehouseError):
    """Another sync is using the warehouse, and whoever asks cannot wait for it."""


class UnknownPartitionError(SyncError):
    """A partition was asked for that the API does not list."""
