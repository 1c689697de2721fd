"""A checkpoint that is cut off in the middle of a block leaves a file that opens again."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest

from sync_assets.warehouse.connection import checkpoint
from sync_assets.warehouse.connection.checkpoint import HEADERS, rescue_file
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.errors import WarehouseError

PAGE = 4096


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM range(10) AS _ (n)")
    return file


def add_row(database: Path, *and_then: str) -> None:
    """Write a row as a sync does."""
    with single_writer(database, silent), duckdb.connect(str(database)) as connection:
        connection.execute("INSERT INTO t VALUES (10)")
        for statement in and_then:
            connection.execute(statement)


def cut_off(database: Path) -> None:
    """End a checkpoint in the middle of the first metadata block, as kill -9 does."""
    file_before = database.read_bytes()
    with pytest.raises(duckdb.Error, match="aborted"):
        add_row(database, "PRAGMA debug_checkpoint_abort = 'after_free_list_write'")
    during = database.read_bytes()
    cut = HEADERS + PAGE
    assert during[:HEADERS] == file_before[:HEADERS]
    assert during[HEADERS:cut] != file_before[HEADERS:cut]
    database.write_bytes(during[:cut] + file_before[cut:])


def rows(database: Path) -> int:
    with single_writer(database, silent), duckdb.connect(str(database)) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM t").fetchall()
    return int(count)


def test_a_block_that_was_cut_off_is_put_back(database: Path) -> None:
    cut_off(database)
    with pytest.raises(duckdb.Error, match=r"in block at location 12288"):
        duckdb.connect(str(database))
    said: list[str] = []
    with single_writer(database, said.append):
        pass
    assert said == ["warehouse.duckdb: a checkpoint had been cut off; its block was put back"]
    assert rows(database) == 11
    assert not rescue_file(database).exists()


def test_a_block_is_not_put_back_into_a_file_that_went_on(database: Path) -> None:
    whole = shutil.copy(database, database.with_suffix(".whole"))
    cut_off(database)
    shutil.copy(whole, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("INSERT INTO t VALUES (11)")
    damaged = bytearray(database.read_bytes())
    damaged[HEADERS + 100] ^= 1
    database.write_bytes(damaged)
    with pytest.raises(WarehouseError, match=r"Corrupt database file"):
        rows(database)
    assert database.read_bytes() == damaged


def test_a_file_in_place_of_the_copy_stays(database: Path) -> None:
    theirs = Path(f"{database}.rescue")
    theirs.write_text("mine")
    add_row(database)
    assert rows(database) == 11
    assert theirs.read_text() == "mine"


def a_zip(*entries: str) -> bytes:
    with BytesIO() as file:
        with ZipFile(file, "w") as made:
            for entry in entries:
                made.writestr(entry, b"x")
        return file.getvalue()


@pytest.mark.parametrize("rescue", [None, b"", b"cut off", b"PK" * 99, a_zip(), a_zip("0")])
def test_a_damaged_file_without_a_copy_is_a_clear_error(
    database: Path, rescue: bytes | None
) -> None:
    damaged = bytearray(database.read_bytes())
    damaged[HEADERS + 100] ^= 1
    database.write_bytes(damaged)
    if rescue is not None:
        rescue_file(database).write_bytes(rescue)
    with pytest.raises(WarehouseError, match=re.escape(str(database))):
        rows(database)


def test_what_was_committed_is_in_the_file_and_nothing_is_left_behind(database: Path) -> None:
    add_row(database)
    assert [path.name for path in database.parent.iterdir() if path.suffix != ".lock"] == [
        "warehouse.duckdb"
    ]
    assert rows(database) == 11


def test_a_file_is_closed_to_other_programs_until_its_checkpoint_is_done(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[str] = []

    def look(directory: Path) -> Path:
        other = subprocess.run(
            [sys.executable, "-c", f"import duckdb; duckdb.connect({str(database)!r})"],
            capture_output=True,
            text=True,
        )
        met.append(other.stderr)
        return real(directory)

    real = checkpoint.rescue_file
    monkeypatch.setattr(checkpoint, "rescue_file", look)
    add_row(database)
    assert len(met) == 2
    assert all("Could not set lock" in error for error in met)


def test_a_file_in_place_of_the_lock_is_not_emptied(database: Path) -> None:
    theirs = Path(f"{database}.lock")
    theirs.write_text("mine")
    with pytest.raises(WarehouseError, match=r"warehouse.duckdb.lock is not empty"):
        rows(database)
    assert theirs.read_text() == "mine"
