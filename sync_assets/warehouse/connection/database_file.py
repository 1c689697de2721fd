"""Checks a DuckDB file before it is opened."""

from __future__ import annotations

import os
from pathlib import Path

from sync_assets.warehouse.connection.credentials import VARIABLE
from sync_assets.warehouse.errors import WarehouseError

MAGIC = slice(8, 12)
REMEDY = f"It is what {VARIABLE} names: set it to a path that this user may write to."


def refuse_unusable(database: Path) -> None:
    """Raise `WarehouseError` if a path is not a DuckDB file that can be read and written."""
    if trouble := _trouble(database):
        raise WarehouseError(f"{database} {trouble}. {REMEDY}")


def _trouble(database: Path) -> str | None:
    folder = database.parent
    try:
        if not folder.is_dir():
            return f"cannot be made: there is no folder {folder}"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"cannot be written: this user may not write to the folder {folder}"
        if not database.exists():
            return None
        if not database.is_file():
            return "is a folder, not a file" if database.is_dir() else "is not a file"
        if not os.access(database, os.R_OK | os.W_OK):
            return "cannot be written: this user may not read and write it"
        with database.open("rb") as file:
            head = file.read(MAGIC.stop)
    except OSError as error:
        return f"cannot be used: {error.strerror}"
    if head and head[MAGIC] != b"DUCK":
        return "is not a valid DuckDB database file"
    return None
