"""A list that is cut off goes on where it was, or starts over: it never loses or doubles a row."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets.lib.assets.results import materialization
from sync_assets.sources.rest.extract import unfinished
from sync_assets.sources.rest.extract.unfinished import Unfinished, sweep
from sync_assets_tests.benchmark import cut_off
from sync_assets_tests.benchmark.cut_off import NUMBERS
from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.cut_reads import Account, fates, still
from sync_assets_tests.support.processes import Task, Worker
from sync_assets_tests.support.torn_reads import WAYS
from sync_assets_tests.support.world import APIS, World

KILLS = Count("lists that are cut off at a random page", sample=20, full=200)
SIZES = {"offset cursor": 3, "key cursor": 3, NUMBERS: 20}
MOVES: dict[str, Callable[[list[int]], object]] = {
    "nothing": lambda ids: None,
    "ten rows in front": lambda ids: ids.__setitem__(slice(0, 0), range(ids[0] + 10, ids[0], -1)),
    "five rows gone in front": lambda ids: ids.__delitem__(slice(0, 5)),
}
BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(b"\x00" * 500),
    "somebody else's": lambda file: file.write_text("{}\n{}\n"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-7]),
    "damaged": lambda file: file.write_bytes(file.read_bytes()[:-300] + b"x" * 300),
    "a header cut off": lambda file: file.write_bytes(file.read_bytes()[:60]),
    "a link": lambda file: file.symlink_to(file.rename(f"{file}.1")),
}
PASSES = {
    "500 for ever": (500, {}),
    "429 with a Retry-After beyond max_wait": (429, {"Retry-After": "1800"}),
}
GOES_ON = "the next sync goes on with the list; only the last page is asked for again"
ANEW = "the list is read from its first page"
FAULTS = {
    **{
        f"a list is cut off for good: {name}": GOES_ON
        for name in ("kill -9", "SIGTERM", "Ctrl-C", *PASSES)
    },
    **{f"meanwhile: {name}": "up to ten pages are asked for again" for name in list(MOVES)[1:]},
    "a hundred rows gone in front": ANEW,
    "the record of a key cursor is deleted, and the API answers 404": ANEW,
    "another page size is configured": ANEW,
    "a list is cut off for good: 404": ANEW,
    **{f"a file of pages that wait: {name}": ANEW for name in BROKEN if name != "cut off"},
    "a file of pages that wait: cut off": GOES_ON,
    "another process uses the pages that wait": ANEW,
    "too much waits on disk": "nothing more is kept, and that is said",
}


@pytest.mark.parametrize("moved", MOVES)
@pytest.mark.parametrize("way", SIZES)
def test_what_was_read_is_not_read_again(way: str, moved: str, tmp_path: Path) -> None:
    account = still(WAYS[way], SIZES[way], 60, tmp_path)
    assert account.killed_after(48)
    begun = times.now()
    MOVES[moved](account.history.ids)
    account.history.lived &= set(account.history.ids)
    listing, ids = account.read()
    whole = still(WAYS[way], SIZES[way], 60, tmp_path / "other")
    whole.read()
    assert account.requests <= whole.requests - 48 + 10
    assert listing.resumed > 35
    assert listing.read_at < begun
    assert account.history.lived <= set(ids)
    assert len(ids) == len(set(ids))
    assert not account.file.exists()


@pytest.mark.long
@pytest.mark.parametrize("in_front", cut_off.IN_FRONT)
@pytest.mark.parametrize("way", cut_off.SIZES)
def test_5000_pages_killed_1000_before_their_end(way: str, in_front: int) -> None:
    figures = cut_off.measure(way, pages=5_000, left=1_000, in_front=in_front)
    assert figures.anew >= figures.whole >= 5_000
    assert figures.gone_on <= 1_010
    assert (figures.missing, figures.doubled) == (0, 0)


@KILLS
@pytest.mark.parametrize("most", [0, 1])
@pytest.mark.parametrize("way", WAYS)
def test_a_list_that_is_cut_off_is_whole_or_red(
    way: str, most: int, monkeypatch: pytest.MonkeyPatch, record_property: Callable[..., None]
) -> None:
    monkeypatch.setattr(unfinished, "AFTER", 2)
    found = fates(way, KILLS.size, SEED, most, away=20)
    record_property("figures", f"{way}, up to {most} changes a page: {dict(found)}")
    assert found["lost"] == found["doubled"] == 0
    assert found["whole"] + found["red"] == KILLS.size
    assert found["gone on with"] > (0 if most else KILLS.size / 4)


def test_a_list_that_is_cut_off_twice_is_whole(tmp_path: Path) -> None:
    account = still(WAYS["offset cursor"], 3, 90, tmp_path)
    ids = account.history.ids
    for left in (40, 35):
        assert account.killed_after(left)
        del ids[:2]
        account.history.lived &= set(ids)
    listing, found = account.read()
    assert account.history.lived <= set(found)
    assert len(found) == len(set(found))
    assert listing.resumed > 60


def test_a_list_that_moved_too_far_is_read_from_its_start(tmp_path: Path) -> None:
    account = still(WAYS["offset cursor"], 3, 60, tmp_path)
    assert account.killed_after(48)
    del account.history.ids[:100]
    begun = times.now()
    listing, ids = account.read()
    assert ids == account.history.ids
    assert (listing.resumed, listing.read_at > begun) == (0, True)


def test_pages_that_were_asked_for_otherwise_are_not_gone_on_with(tmp_path: Path) -> None:
    account = still(WAYS["key cursor"], 3, 60, tmp_path)
    assert account.killed_after(48)
    listing, ids = replace(account, page_size=7).read()
    assert (listing.resumed, ids) == (0, account.history.ids)


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_broken_stops_nothing(name: str, tmp_path: Path) -> None:
    account = still(WAYS["key cursor"], 3, 60, tmp_path)
    assert account.killed_after(48)
    BROKEN[name](account.file)
    listing, ids = account.read()
    assert ids == account.history.ids
    assert (listing.resumed > 40) == (FAULTS[f"a file of pages that wait: {name}"] == GOES_ON)


def test_a_short_list_leaves_nothing(tmp_path: Path) -> None:
    account = still(WAYS["key cursor"], 3, 15, tmp_path)
    assert account.killed_after(12)
    assert not account.file.exists()


def test_what_waits_is_private_bounded_and_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    account = still(WAYS["key cursor"], 3, 60, unfinished.folder())
    assert account.killed_after(48)
    assert account.file.stat().st_mode & 0o777 == 0o600
    assert account.file.parent.stat().st_mode & 0o777 == 0o700
    mine = account.file.with_name("mine")
    mine.write_text("kept")
    in_use = Unfinished(account.file, 6, print)
    later = times.now() + timedelta(hours=6, seconds=1)
    monkeypatch.setattr(times, "now", lambda: later)
    assert sweep() == []
    in_use.close()
    too_late = Unfinished(account.file, 6, print)
    too_late.close()
    assert too_late.pages == []
    monkeypatch.setattr(times, "now", lambda: later + timedelta(hours=7))
    assert sweep() == [account.file]
    assert mine.exists()


def test_what_takes_too_much_room_is_not_kept_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "MOST", 2_000)
    said: list[str] = []
    kept = Unfinished(tmp_path / "list", 6, said.append)
    for n in range(40):
        kept.append(f"https://x/{n}", random.Random(n).randbytes(200))
    assert not (tmp_path / "list").exists()
    assert len(said) == 1
    assert "read from its start" in said[0]


def test_one_process_at_a_time_uses_the_pages(tmp_path: Path) -> None:
    account = still(WAYS["key cursor"], 3, 60, tmp_path)
    assert account.killed_after(48)
    in_use = Unfinished(account.file, 6, print)
    assert len(in_use.pages) == 48
    listing, ids = account.read()
    assert (listing.resumed, ids) == (0, account.history.ids)
    assert account.file.exists()
    in_use.close()


def long_list(world: World) -> Task:
    """Users on 60 pages, of an API that takes a while."""
    world.api.lists["/users/1"] = [{"id": str(n)} for n in range(180)]
    world.configure("promotions", resume_within=6, max_retries=0)
    return Task("promotions", ["users"], {"promotions": ["1"]})


def asked(world: World) -> int:
    """The requests since the last time."""
    number = len(world.api.seen)
    world.api.seen.clear()
    return number


@pytest.mark.long
@pytest.mark.parametrize("name", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_sync_that_is_killed_is_gone_on_with_and_told(world: World, name: int) -> None:
    task = long_list(world)
    world.api.latency = 0.02
    worker = Worker(world.folder)
    worker.start(task)
    while len(world.api.seen) < 45:
        time.sleep(0.01)
    os.kill(worker.pid, name)
    worker.wait()
    asked(world)
    worker = Worker(world.folder)
    done = worker.sync(task)
    worker.kill()
    assert done.green
    assert asked(world) <= 60 - 44 + 2
    assert any("pages wait on disk, read from" in line for line in done.said)
    assert len(world.ids("promotions.users")) == 180
    assert not list(world.folder.glob("sync_assets-unfinished-*/*"))


@pytest.mark.parametrize("name", PASSES)
def test_what_may_be_over_next_time_is_gone_on_with(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = long_list(world)
    status, headers = PASSES[name]
    world.api.fail("/users/1", page=50, status=status, headers=headers)
    first = world.sync(task.source, *task.resources, parents=task.parents)["users of 1"]
    assert first.error is not None
    world.api.heal()
    world.forget_rests()
    done = world.sync(task.source, *task.resources, parents=task.parents)["users of 1"]
    assert (done.error, done.rows, done.pages, done.resumed) == (None, 180, 60, 49)
    event = materialization(APIS["promotions"], done, alone=False)
    assert event.metadata is not None
    assert event.metadata["pages_from_disk"] == dg.MetadataValue.int(49)
    assert done.requests == 12
    assert done.read_at == first.read_at
    (synced,) = world.query("SELECT synced_at FROM promotions._syncs WHERE parent = '1'")
    assert synced["synced_at"] == first.read_at.isoformat()
    again = world.sync(task.source, *task.resources, parents=task.parents)["users of 1"]
    assert (again.resumed, again.requests) == (0, 60)


def test_a_key_cursor_that_is_refused_starts_the_list_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    world.configure("events", resume_within=6, max_retries=0)
    orders = world.api.lists["/orders"] = [{"id": f"o{n}"} for n in range(180)]
    world.api.fail("/orders", page=50, status=500)
    assert world.sync("events", "orders")["orders"].error
    world.api.heal()
    del orders[48 * 3 - 1]  # the last page that is kept begins after it
    done = world.sync("events", "orders")["orders"]
    assert (done.error, done.resumed, done.rows) == (None, 0, 179)


def test_what_will_fail_again_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = long_list(world)
    monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    world.api.fail("/users/1", page=50, status=404)
    assert world.sync(task.source, *task.resources, parents=task.parents)["users of 1"].error
    world.api.heal()
    done = world.sync(task.source, *task.resources, parents=task.parents)["users of 1"]
    assert (done.error, done.resumed) == (None, 0)


def test_nothing_is_kept_where_that_is_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = long_list(world)
    world.configure("promotions", resume_within=0)
    monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    world.api.fail("/users/1", page=50, status=500)
    assert world.sync(task.source, *task.resources, parents=task.parents)["users of 1"].error
    assert not list(world.folder.glob("sync_assets-unfinished-*"))


def test_an_account_has_pages_of_its_own(tmp_path: Path) -> None:
    account = still(WAYS["key cursor"], 3, 60, tmp_path)
    assert account.killed_after(48)
    other = Account(account.way, account.history, tmp_path / "another")
    listing, _ = other.read()
    assert listing.resumed == 0
