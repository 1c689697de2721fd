"""Holds the typed rows of a list until the list is known to be complete.

Small lists stay in memory, large ones go to a temporary file, so memory stays flat.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from hashlib import sha256
from io import SEEK_END
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from sync_assets.sources.rest.list_result import ListResult, Problem
from sync_assets.sources.rest.records.duplicates import (
    conflict,
    differing,
    rows_by_key,
    without_nulls,
)
from sync_assets.sources.rest.records.encoding import to_json
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets.sources.rest.records.values import CONVERT

IN_MEMORY = 4 * 1024 * 1024
CHUNK = 2_000


class Spool:
    """The rows of one list, each key once.

    A record with a known key is a duplicate if it equals the loaded row, as when pages shift. If
    it differs, it is a `Problem`.
    """

    def __init__(self, typer: RowTyper, key: str, listing: ListResult) -> None:
        self.typer, self.key, self.listing = typer, key, listing
        self._convert = CONVERT[str(typer.columns.get(key, {}).get("data_type", "text"))]
        self._seen: set[str | bytes] = set()
        self._waiting: dict[str | bytes, Any] = {}
        self._again: list[tuple[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._newer: Spool | None = None

    def add(self, records: list[Any]) -> int:
        """Take a page of records; return how many have a new key."""
        before = len(self._seen)
        for record in records:
            identity = self._identity(record)
            if identity not in self._seen:
                self._seen.add(identity)
                self._waiting[identity] = record
                continue
            self.listing.duplicates += 1
            if isinstance(identity, str) and not self._waits(identity, record):
                self._again.append((identity, record))
        if len(self._waiting) >= CHUNK:
            self._type()
        if len(self._again) >= CHUNK:
            self._compare()
        return len(self._seen) - before

    def knows(self, record: Any) -> bool:
        """Whether the key of a record came before."""
        return self._identity(record) in self._seen

    def restart(self) -> None:
        """Forget all rows, because the list is read again from its start."""
        self._seen.clear()
        self._waiting.clear()
        self._again.clear()
        self._tables.clear()
        self._size = 0
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
        self.typer.seen.clear()
        self.listing.restart()

    def close(self) -> None:
        """Type the records that still wait; the list is complete."""
        self._compare()
        self._seen.clear()
        if self.listing.rows:
            self.listing.new_fields, self.listing.missing_fields = self.typer.drift()

    def renew(self, newer: Spool) -> None:
        """Put the rows of a later reading in front; they replace those with the same key."""
        if self._newer is not None:
            self._newer.renew(newer)
        else:
            self._newer = newer
        known = {problem.record for problem in self.listing.problems}
        self.listing.quarantine(p for p in newer.listing.problems if p.record not in known)
        self.listing.rows = len(self.keys())

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows from the start; at least one table, so that the columns exist."""
        if not self.listing.rows:
            yield self.typer.empty()
        if self._newer is None:
            yield from self._read()
            return
        yield from self._newer.tables()
        newer, name = self._newer.keys(), self._key_column
        for table in self._read():
            yield table.filter(pc.invert(pc.is_in(table[name], value_set=newer)))

    def _read(self) -> Iterator[pa.Table]:
        if self._file is not None:
            size = self._file.seek(0, SEEK_END)
            self._file.seek(0)
            while self._file.tell() < size:
                yield pa.ipc.open_stream(self._file).read_all()
        yield from self._tables

    def keys_of(self, records: list[Any]) -> list[str] | None:
        """Return the keys of records; None if a record has no key."""
        found = [self._identity(record) for record in records]
        keys = [one for one in found if isinstance(one, str)]
        return keys if len(keys) == len(found) else None

    def keys(self) -> pa.ChunkedArray:
        """Return the keys of the rows, in the order of the list."""
        columns = (table[self._key_column].chunks for table in self.tables())
        # a copy: a part of what was read from the file would keep all columns in memory
        copies = [pa.concat_arrays(chunks) for chunks in columns if chunks]
        return pa.chunked_array(copies, self.typer.schema.field(self._key_column).type)

    @property
    def _key_column(self) -> str:
        return str(self.typer.columns[self.key]["name"])

    def column(self, name: str) -> list[str]:
        """Return the values of one column as text; the file allows one reader at a time."""
        return [str(value) for table in self.tables() for value in table[name].to_pylist()]

    def _identity(self, record: Any) -> str | bytes:
        """Return the converted key of a record; the digest of its JSON if it has no valid key."""
        key = record.get(self.key) if isinstance(record, dict) else None
        try:
            if key is not None:
                return str(self._convert(key))
        except ValueError:
            pass  # it is not loaded
        return sha256(to_json(record).encode()).digest()

    def _waits(self, identity: str, record: Any) -> bool:
        first = self._waiting.get(identity)
        return first is not None and to_json(first) == to_json(record)

    def _type(self) -> None:
        records = list(self._waiting.values())
        self._waiting.clear()
        for start in range(0, len(records), CHUNK):
            table, problems = self.typer.table(records[start : start + CHUNK], self.listing.parent)
            self.listing.quarantine(problems)
            self._keep(table)

    def _compare(self) -> None:
        """Compare the records with a known key with the rows that are loaded."""
        self._type()
        again, self._again = self._again, []
        loaded = rows_by_key(self.tables(), self.key, {key for key, _ in again}) if again else {}
        known = {problem.record for problem in self.listing.problems}
        for (key, record), (table, problems) in zip(again, self._apart(again), strict=True):
            text = to_json(record)
            if text in known:
                continue
            if table.num_rows and key in loaded:
                columns = differing(without_nulls(table), loaded[key])
                if not columns and (not problems or self.listing.is_cut):
                    continue
                problems = [conflict(text, key, columns, problems)]
            else:
                loaded.update({key: without_nulls(table)} if table.num_rows else {})
                self._keep(table)
            self.listing.duplicates -= 1
            known.update(problem.record for problem in problems)
            self.listing.quarantine(problems)

    def _apart(self, again: list[tuple[str, Any]]) -> Iterator[tuple[pa.Table, list[Problem]]]:
        """Type each record by itself, or all at once if none has a problem."""
        records, parent = [record for _, record in again], self.listing.parent
        table, problems = self.typer.table(records, parent)
        for i, record in enumerate(records):
            yield self.typer.table([record], parent) if problems else (table.slice(i, 1), [])

    def _keep(self, table: pa.Table) -> None:
        self.listing.rows += table.num_rows
        if table.num_rows:
            self._tables.append(table)
            self._size += table.nbytes
        if self._size > IN_MEMORY:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - closed with the spool
            weakref.finalize(self, self._file.close)
        self._file.seek(0, SEEK_END)
        for table in self._tables:
            with pa.ipc.new_stream(self._file, table.schema) as writer:
                writer.write_table(table)
        self._tables, self._size = [], 0
