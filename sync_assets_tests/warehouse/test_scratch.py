"""The next sync sweeps the scratch folders of killed syncs, and no other folder."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sync_assets.warehouse.connection.scratch import IN_USE, _mark, scratch, sweep
from sync_assets.warehouse.errors import WarehouseError
from sync_assets_tests.support.leftovers import left_behind
from sync_assets_tests.support.processes import Task, workers
from sync_assets_tests.support.world import World

BRANDS, PROMOTIONS = Task("promotions", ["organizing_brands"]), Task("promotions", ["promotions"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scratch directory of the test's own."""
    made = tmp_path / "scratch"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def abandoned(folder: Path, name: str, *, hours: float = 0) -> Path:
    """A folder whose process is gone, without the file that tells, so many hours old."""
    made = folder / name
    made.mkdir()
    then = time.time() - hours * 3600
    os.utime(made, (then, then))
    return made


def reading(world: World, folder: Path, path: str) -> set[Path]:
    """The scratch folders there are once a sync, which sweeps first, has asked for a list."""
    while not world.api.asked(path):
        time.sleep(0.01)
    return {file.parent for file in folder.glob(f"*/{IN_USE}")}


@pytest.mark.long
def test_a_killed_sync_is_swept_by_the_next_and_a_live_one_is_not(
    world: World, folder: Path
) -> None:
    for path in ("/organizing_brands", "/promotions"):
        world.api.lists[path] = [{"id": "1"}]
        world.api.fail(path, delay=60)
    with workers(2, folder) as (victim, other):
        victim.start(BRANDS)
        killed = reading(world, folder, "/organizing_brands")
        other.start(PROMOTIONS)
        live = reading(world, folder, "/promotions") - killed
        victim.kill()
        world.api.faults.pop("/organizing_brands")
        said: list[str] = []
        world.sync("promotions", "organizing_brands", say=said.append)
        assert said == ["swept scratch folders of killed syncs: 1"]
        assert len(live) == len(killed) == 1
        assert left_behind(folder.glob("sync_assets-*")) == [path.name for path in live]
        assert other.busy()


def test_only_what_nobody_holds_is_swept(folder: Path) -> None:
    with scratch() as mine:
        gone = abandoned(folder, "sync_assets-a_gone_1")
        (gone / IN_USE).write_bytes(_mark(gone))
        (gone / "promotions").mkdir()
        others = [
            abandoned(folder, "sync_assets-rate-100", hours=99),
            abandoned(folder, "sync_assets-rate-1000", hours=99),
            abandoned(folder, "sync_assets-justmade"),
            abandoned(folder, "elsewhere", hours=99),
            shutil.copytree(gone, folder / "sync_assets-a_copy_1"),
        ]
        assert sweep() == [gone]
        assert sweep() == []
        assert mine.is_dir()
        assert all(path.is_dir() for path in others)
    assert not mine.exists()


def test_a_sync_without_room_for_scratch_asks_for_some(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(world.folder / "not_there"))
    with pytest.raises(WarehouseError, match="Make room or set TMPDIR"):
        world.sync("promotions", "promotions")
    assert world.api.seen == []


def empty(file: Path) -> None:
    file.touch()


def words(file: Path) -> None:
    file.write_text("scratch folder of sync_assets")


def of_another(file: Path) -> None:
    file.write_bytes(_mark(Path("sync_assets-20261102")))


def a_link(file: Path) -> None:
    words(file.parent / "elsewhere")
    file.symlink_to(file.parent / "elsewhere")


#: What a folder of the user's own, sync_assets-20261101, holds as `in_use`; none is swept.
MARKERS: dict[str, Callable[[Path], None]] = {
    "nothing": lambda file: None,
    "an empty file": empty,
    "words": words,
    "the mark of another folder": of_another,
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link": a_link,
}
FAULTS = {
    f"a folder in TMPDIR with a name of ours, whose marker file is: {what}": "left alone"
    for what in MARKERS
}


@pytest.mark.parametrize("marker", MARKERS)
def test_a_folder_of_the_users_own_survives(folder: Path, marker: str) -> None:
    mine = folder / "sync_assets-20261101"
    mine.mkdir()
    (mine / "data.csv").write_text("1,2")
    MARKERS[marker](mine / IN_USE)
    os.utime(mine, (0, 0))
    assert sweep() == []
    assert (mine / "data.csv").read_text() == "1,2"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_somebody_else_stays(folder: Path) -> None:
    theirs = abandoned(folder, "sync_assets-aaaaaaaa", hours=99)
    (theirs / IN_USE).write_bytes(_mark(theirs))
    os.chown(theirs, 65534, 65534)
    (folder / "sync_assets-bbbbbbbb").symlink_to(theirs)
    assert sweep() == []
