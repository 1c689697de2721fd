"""Where the rows of a list wait, typed, until the list is known to be complete.

Small lists wait in memory, large ones in a temporary file: memory stays flat.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Iterator
from hashlib import sha256
from io import SEEK_END
from typing import IO, Any, cast

import pyarrow as pa

from sync_assets.sources.rest.encoding import to_json
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.rows import RowTyper

IN_MEMORY = 4 * 1024 * 1024
CHUNK = 2_000


class Spool:
    """The rows of one list, or of all lists that make up one table; each key once below a parent.

    Lists of several parents may be added from several threads.
    """

    def __init__(self, typer: RowTyper, key: str, listing: Listing) -> None:
        self.typer, self.key, self.listing = typer, key, listing
        self._seen: dict[str | None, set[str | bytes]] = {}
        self._waiting: dict[str | None, list[Any]] = {}
        self._tables: list[pa.Table] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def add(self, records: list[Any], parent: str | None) -> int:
        """Take a page of records; give the number that were not there before."""
        fresh = []
        with self._lock:
            seen = self._seen.setdefault(parent, set())
            for record in records:
                identity = self._identity(record)
                if identity in seen:
                    self.listing.duplicates += 1
                    continue
                seen.add(identity)
                fresh.append(record)
            waiting = self._waiting.setdefault(parent, [])
            waiting.extend(fresh)
            if len(waiting) >= CHUNK:
                self._type(parent)
        return len(fresh)

    def restart(self) -> None:
        """Forget all rows of the list, which is read again from its start."""
        with self._lock:
            self._seen.clear()
            self._waiting.clear()
            self._tables.clear()
            self._size = 0
            if self._file is not None:
                self._file.seek(0)
                self._file.truncate()
            self.typer.seen.clear()
        self.listing.restart()

    def close(self) -> None:
        """Type and keep what still waits; the list is complete."""
        with self._lock:
            for parent in list(self._waiting):
                self._type(parent)
            self._seen.clear()
        if self.listing.rows:
            self.listing.new_fields, self.listing.missing_fields = self.typer.drift()

    def tables(self) -> Iterator[pa.Table]:
        """The rows, again from the start; at least one table, so that the columns exist."""
        if not self.listing.rows:
            yield self.typer.empty()
        if self._file is not None:
            size = self._file.seek(0, SEEK_END)
            self._file.seek(0)
            while self._file.tell() < size:
                yield pa.ipc.open_stream(self._file).read_all()
        yield from self._tables

    def column(self, name: str) -> list[str]:
        """The values of one column, as text; the file has one reader at a time."""
        return [str(value) for table in self.tables() for value in table[name].to_pylist()]

    def _identity(self, record: Any) -> str | bytes:
        """The key of a record; a digest of all that it says where it has none."""
        key = record.get(self.key) if isinstance(record, dict) else None
        if isinstance(key, float) and key.is_integer():
            key = int(key)  # as the column takes it
        return sha256(to_json(record).encode()).digest() if key is None else str(key)

    def _type(self, parent: str | None) -> None:
        records = self._waiting.pop(parent)
        if not records:
            return
        table, problems = self.typer.table(records, parent)
        self.listing.rows += table.num_rows
        self.listing.quarantine(problems)
        if table.num_rows:
            self._tables.append(table)
            self._size += table.nbytes
        if self._size > IN_MEMORY:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - closed with the spool
            weakref.finalize(self, self._file.close)
        for table in self._tables:
            with pa.ipc.new_stream(self._file, table.schema) as writer:
                writer.write_table(table)
        self._tables, self._size = [], 0
