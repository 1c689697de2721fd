"""Files that the project keeps for itself may be anything: they are made anew, nothing stops."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from sync_assets.sources.rest.http import windows
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.http.windows import per_minute
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.errors import WarehouseError
from sync_assets_tests.support.world import World
from sync_assets_tests.warehouse.test_checkpoint import add_row, cut_off, rows
from sync_assets_tests.warehouse.test_checkpoint import database as database  # a fixture

ACCOUNT = "http://127.0.0.1 secret"
OLD = {"at": 0.0, "sent": [], "paused_until": 0.0}


def text(value: object) -> Callable[[Path], object]:
    """A file with this content, or this JSON."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return lambda file: file.write_bytes(content)


def folder(file: Path) -> None:
    """A folder with something in it."""
    file.mkdir()
    (file / "mine").write_text("kept")


#: What is at the place of the shared rate file; whether that is said.
RATE_FILES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "empty": (text(b""), True),
    "zeroed": (text(bytes(300)), True),
    "cut off": (text(b'{"at": 12.5, "sent": [1'), True),
    "not text": (text(b"\xff\xfe\x00garbage"), True),
    "a list": (text([1, 2]), True),
    "null": (text(None), True),
    "a number": (text(7), True),
    "of another version": (text({"version": 2, "requests": []}), True),
    "other types": (text({"at": [], "sent": "x", "paused_until": {}}), True),
    "texts in sent": (text({**OLD, "sent": ["yesterday"]}), True),
    "numbers that are none": (text(b'{"at": NaN, "sent": [NaN], "paused_until": NaN}'), False),
    "infinite": (text(b'{"at": 0, "sent": [Infinity], "paused_until": Infinity}'), False),
    "in the future": (text({**OLD, "sent": [1e12] * 99, "paused_until": 1e12}), False),
    "of another boot": (text({**OLD, "boot": "x", "paused_until": time.monotonic() + 900}), False),
    "nested too deep": (text(b"[" * 100_000), True),
    "a number too long": (text(b'{"at": ' + b"1" * 5_000 + b"}"), True),
    "a folder": (folder, True),
}


@pytest.fixture
def rate_file(world: World) -> Path:
    """Where the account's requests are told, with nothing there."""
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    RateLimiter(1, per_minute(1), ACCOUNT).pause(0)
    (file,) = world.folder.glob("sync_assets-rate-*/*.json")
    file.unlink()
    return file


def ask(polite: RateLimiter) -> float:
    """One request; the seconds it had to wait."""
    with polite.request() as waited:
        return waited


@pytest.mark.parametrize("name", RATE_FILES)
def test_a_rate_file_that_is_none_is_made_anew(rate_file: Path, name: str) -> None:
    make, is_said = RATE_FILES[name]
    make(rate_file)
    polite = RateLimiter(1, per_minute(2), ACCOUNT, max_wait=1)
    assert ask(polite) == 0
    assert len(polite.messages()) == is_said
    assert polite.messages() == []
    assert len(json.loads(rate_file.read_text())["sent"]) == 1
    assert not list(rate_file.parent.rglob("mine")) or name == "a folder"


def test_a_rate_file_that_went_bad_costs_the_sync_nothing(world: World, rate_file: Path) -> None:
    world.api.lists["/promotions"] = [{"id": "1"}]
    world.configure("promotions", requests_per_minute=100)
    world.sync("promotions", "promotions")
    (file,) = {*rate_file.parent.glob("*.json")} - {rate_file}
    file.write_bytes(b"")
    said: list[str] = []
    found = world.sync("promotions", "promotions", say=said.append)
    assert found["promotions"].error is None
    assert len([message for message in said if "made anew" in message]) == 1


@pytest.mark.parametrize("place", ["lock", "new"])
def test_where_the_file_cannot_be_used_each_process_keeps_to_the_rate(
    rate_file: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "MINUTE", 0.5)
    if place == "lock":
        lock = Path(f"{rate_file}.lock")
        lock.unlink(missing_ok=True)
        lock.mkdir()
    else:
        monkeypatch.setattr(Path, "write_bytes", _disk_is_full)
    polite = RateLimiter(1, per_minute(2), ACCOUNT)
    assert [ask(polite) > 0 for _ in range(3)] == [False, False, True]
    (said,) = polite.messages()
    assert "cannot be used" in said


def _disk_is_full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_process_that_sleeps_with_the_lock_is_waited_for(
    rate_file: Path,
) -> None:
    holder = FileLock(f"{rate_file}.lock", thread_local=False)
    holder.acquire()
    released = threading.Event()

    def release() -> None:
        released.set()
        holder.release()

    threading.Timer(0.3, release).start()
    ask(RateLimiter(1, per_minute(2), ACCOUNT))
    assert released.is_set()


def zipped(name: str, content: bytes) -> Callable[[Path], object]:
    """A zip with one file in it."""

    def make(file: Path) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, content)

    return make


#: What is at the place of the copy of the metadata; whether it is somebody's.
RESCUES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "empty": (text(b""), False),
    "zeroed": (text(bytes(5_000)), False),
    "a copy cut off": (text(b"PK\x03\x04\x14\x00\x00\x00\x00\x00" + bytes(9)), False),
    "an old copy": (zipped("0", bytes(3 * 4096)), False),
    "garbage": (text(b"garbage"), True),
    "a text": (text({"backup": 1}), True),
    "a foreign zip": (zipped("mine.txt", b"kept"), True),
    "a foreign zip of numbers": (zipped("01", b"kept"), True),
    "a folder": (folder, True),
}


@pytest.mark.parametrize("suffix", ["", ".new"])
@pytest.mark.parametrize("name", RESCUES)
def test_a_rescue_file_that_is_none_stops_nothing_and_is_left_if_it_is_somebodys(
    database: Path, name: str, suffix: str
) -> None:
    make, is_foreign = RESCUES[name]
    file = Path(f"{database}.rescue{suffix}")
    make(file)
    before = None if file.is_dir() else file.read_bytes()
    add_row(database)
    assert rows(database) == 11
    assert file.exists() or not is_foreign
    if is_foreign:
        assert file.is_dir() or file.read_bytes() == before


@pytest.mark.parametrize("name", [name for name, (_, foreign) in RESCUES.items() if foreign])
def test_a_block_is_put_back_also_beside_a_foreign_file(database: Path, name: str) -> None:
    RESCUES[name][0](Path(f"{database}.rescue"))
    cut_off(database)
    assert rows(database) == 11


@pytest.mark.parametrize("name", RESCUES)
def test_a_damaged_file_beside_one_that_is_no_rescue_is_a_clear_error(
    database: Path, name: str
) -> None:
    RESCUES[name][0](Path(f"{database}.rescue"))
    damaged = bytearray(database.read_bytes())
    damaged[3 * 4096 + 100] ^= 1
    database.write_bytes(damaged)
    with pytest.raises(WarehouseError, match="Corrupt database file"):
        rows(database)


def test_a_copy_that_cannot_be_written_leaves_the_rows_in_the_log(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "writestr", _disk_is_full)
    said: list[str] = []
    with single_writer(database, said.append):
        add_row_inside(database)
    assert [message for message in said if "no checkpoint" in message and "No space" in message]
    monkeypatch.undo()
    assert rows(database) == 11


def add_row_inside(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("INSERT INTO t VALUES (10)")


def test_a_lock_file_that_cannot_be_locked_is_told(database: Path) -> None:
    Path(f"{database}.lock").mkdir()
    with (
        pytest.raises(WarehouseError, match=r"somebody else's\. Move it away"),
        single_writer(database, silent),
    ):
        pass


FAULTS: dict[str, str] = {
    **{f"the rate file is: {name}": "made anew, the rate is kept" for name in RATE_FILES},
    **{
        f"the `.rescue` file is: {name}": "left alone" if foreign else "written over"
        for name, (_, foreign) in RESCUES.items()
    },
    "the lock file is a folder": "refused with the remedy",
}
