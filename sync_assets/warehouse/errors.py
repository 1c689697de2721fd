"""The errors of reading and writing the warehouse."""

from __future__ import annotations

from sync_assets.base.errors import SyncError


class WarehouseError(SyncError):
    """The warehouse cannot be opened, read or written; the message names it and the remedy."""


class WarehouseLostError(WarehouseError):
    """The warehouse did not answer or failed during a load; it may be available again soon."""


class TableRefusedError(WarehouseError):
    """A table does not accept a load because of a constraint, a type or a right."""

    def __init__(self, message: str, table: str) -> None:
        super().__init__(message)
        self.table = table


class WarehouseBusyError(WarehouseError):
    """Another process uses the warehouse, and the caller cannot wait longer."""


class UnknownPartitionError(SyncError):
    """The API does not list a requested partition."""
