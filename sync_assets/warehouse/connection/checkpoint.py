"""Checkpoints of a DuckDB file that survive kill -9.

DuckDB writes a checkpoint beside the previous one, but overwrites its metadata blocks in place. A
process that is killed during such a write leaves a block with a wrong checksum, and the file
cannot be opened any more (DuckDB 1.5.6: one of 50 kills at the worst moment). So these blocks are
copied before each checkpoint, and there is one checkpoint for each use of the file instead of one
for each connection.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

import duckdb

HEADERS = 3 * 4096
NEVER = "1024 TiB"
#: How a copy begins: zip's header of a file whose name has the length 1 and is 0.
MAGIC, FIRST_NAME, COPY_START = b"PK\x03\x04", b"\x01\x00\x00\x000", 31
#: What reading a file raises that is no whole zip of ours.
UNREADABLE = (OSError, KeyError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error)
_TORN = re.compile(r"Corrupt database file.* in block at location (\d+)")


def open_guarded(database: Path, say: Callable[[str], None]) -> duckdb.DuckDBPyConnection:
    """Open a file for writing and repair it if need be; only `checkpointed` makes checkpoints.

    While this connection is open, all connections of this process share its settings. Raises what
    DuckDB raises.
    """
    while True:
        try:
            connection = duckdb.connect(str(database))
            break
        except duckdb.Error as error:  # 1.5: IOException
            torn = _TORN.search(str(error))
            if not torn or not _mend(database, int(torn[1])):
                raise
            say(f"{database.name}: a checkpoint had been cut off; its block was put back")
    connection.execute(f"SET GLOBAL checkpoint_threshold = '{NEVER}'")
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    # a second one loads no faster, and takes a hundred MB for a million rows
    connection.execute("SET GLOBAL threads = 1")
    return connection


@contextmanager
def checkpointed(
    connection: duckdb.DuckDBPyConnection, database: Path, say: Callable[[str], None]
) -> Iterator[None]:
    """Use a guarded file, then make a checkpoint and close it.

    After an error, during an open transaction, and if the copy cannot be made, there is no
    checkpoint: what was committed stays in the write-ahead log, where it is as safe.
    """
    # closing any descriptor of the file gives up DuckDB's lock on it, so this one is closed last
    with database.open("rb") as file, connection:
        yield
        log = Path(f"{database}.wal")
        if log.exists() and log.stat().st_size:
            try:
                _copy_metadata(connection, file, rescue_file(database))
            except OSError as error:
                say(f"{database.name}: no checkpoint, its copy cannot be written: {error}")
                return
            with suppress(duckdb.TransactionException):
                connection.execute("CHECKPOINT")
            rescue_file(database).unlink()


def rescue_file(database: Path) -> Path:
    """Return where the copy is kept: the first name that no other file has."""
    return next(
        rescue
        for number in count()
        if _is_ours(rescue := _candidate(database, number)) and _is_ours(Path(f"{rescue}.new"))
    )


def _candidate(database: Path, number: int) -> Path:
    return Path(f"{database}.rescue{f'.{number}' if number else ''}")


def _is_ours(rescue: Path) -> bool:
    """Whether a file is such a copy, even an incomplete one; it begins with the file's headers."""
    try:
        with rescue.open("rb") as file:
            start = file.read(COPY_START)
            if start.startswith(MAGIC):
                return start[26:] in (FIRST_NAME, *(FIRST_NAME[:n] for n in range(5)))
            return not any(any(part) for part in (start, *iter(lambda: file.read(2**20), b"")))
    except FileNotFoundError:
        return True
    except OSError:  # a folder, or not for us to read
        return False


def _copy_metadata(connection: duckdb.DuckDBPyConnection, file: BinaryIO, rescue: Path) -> None:
    ((size,),) = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()
    blocks = connection.execute("SELECT block_id FROM pragma_metadata_info()").fetchall()
    fresh = Path(f"{rescue}.new")
    with ZipFile(fresh, "w") as copy:
        for location, length in [
            (0, HEADERS),
            *((HEADERS + block * size, size) for (block,) in blocks),
        ]:
            file.seek(location)
            copy.writestr(str(location), file.read(length))
    fresh.replace(rescue)


def _mend(database: Path, location: int) -> bool:
    """Restore a block, unless a checkpoint was completed since the copy was made."""
    number = 0
    while (rescue := _candidate(database, number)).exists():
        number += 1
        with suppress(*UNREADABLE), ZipFile(rescue) as copy, database.open("r+b") as file:
            if copy.read("0") != file.read(HEADERS):
                continue
            block = copy.read(str(location))
            file.seek(location)
            if file.read(len(block)) == block:
                continue
            file.seek(location)
            file.write(block)
            return True
    return False
