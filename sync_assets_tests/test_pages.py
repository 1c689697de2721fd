"""What did not change is not sent again, and nothing but what the API vouches for is used."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sync_assets.sandbox import SECRETS as SANDBOX_SECRETS
from sync_assets.sandbox import Account, Sandbox
from sync_assets.sources.affiliates import API
from sync_assets.sources.rest import pages, times
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.lists import Lists
from sync_assets_tests.conftest import World
from sync_assets_tests.fake_api import SECRETS

PATH = "/v1/coupons"
PAGES = 3


def tag(content: bytes) -> str:
    """An honest ETag."""
    return f'"{hashlib.sha256(content).hexdigest()}"'


@pytest.fixture
def folder(world: World) -> Path:
    """Seven coupons on three pages with ETags; where the pages are kept."""
    world.monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    world.api.lists[PATH] = [{"id": n, "coupon": "old"} for n in range(7)]
    world.api.etag = tag
    return world.folder / f"sync_assets-pages-{os.getuid()}"


def read(world: World, said: list[str] | None = None, held: int = 0) -> tuple[Listing, list[str]]:
    """Read the list as a sync does: its listing, and the coupons; `said` takes what is said."""
    world.api.seen.clear()
    on_wait = (said if said is not None else []).append
    journal = Journal(strict=False, held={("coupons", None): held}, on_wait=on_wait)
    spool = Lists(API, API.connect, {}, journal).table(API.endpoints["coupons"]).spool
    found = (
        [text for table in spool.tables() for text in table["coupon"].to_pylist()] if spool else []
    )
    return journal.listings["coupons", None], found


def sync(world: World, said: list[str] | None = None) -> Listing:
    """Read the list, which must be what the API lists."""
    listing, found = read(world, said)
    assert listing.error is None
    assert found == [row["coupon"] for row in world.api.lists[PATH]]
    return listing


def conditions(world: World) -> list[str | None]:
    """What each request of the last sync was conditional on."""
    return [seen.headers.get("if-none-match") for seen in world.api.seen]


def change(world: World, n: int = 4) -> None:
    """Edit a coupon: the first ones are on page 1, number 4 on page 2."""
    world.api.lists[PATH][n] = {"id": n, "coupon": "new"}


def test_only_what_changed_is_sent_again(world: World, folder: Path) -> None:
    first = sync(world)
    assert (first.requests, first.not_modified, conditions(world)) == (PAGES, [], [None] * PAGES)
    second = sync(world)
    assert (second.requests, second.pages, second.bytes) == (PAGES, PAGES, 0)
    assert (len(second.not_modified), second.retries) == (PAGES, 0)
    assert None not in conditions(world)
    change(world)
    third = sync(world)
    assert (third.requests, len(third.not_modified)) == (PAGES, PAGES - 1)
    assert 0 < third.bytes < first.bytes
    assert len(sync(world).not_modified) == PAGES


def test_a_weak_etag_is_one_too(world: World, folder: Path) -> None:
    world.api.etag = lambda content: "W/" + tag(content)
    sync(world)
    assert len(sync(world).not_modified) == PAGES


@pytest.mark.parametrize(
    "etag", ["v1", "*", '""', '"a","b"', '"a" ', '"ä"', '"a\r\n b"', f'"{"a" * 300}"']
)
def test_what_is_no_etag_is_never_sent_back(world: World, folder: Path, etag: str) -> None:
    world.api.etag = lambda content: etag if etag != '"a" ' else '"a b"'
    sync(world)
    sync(world)
    assert conditions(world) == [None] * PAGES
    assert not folder.exists()


def test_what_must_not_be_stored_is_not(world: World, folder: Path) -> None:
    world.api.fail(PATH, headers={"Cache-Control": "private, No-Store"})
    sync(world)
    assert not folder.exists()


def test_a_304_about_another_page_is_not_believed(world: World, folder: Path) -> None:
    sync(world)
    change(world)
    world.api.fail(PATH, page=2, times=1, status=304, headers={"ETag": '"another"'})
    listing = sync(world)
    assert (listing.retries, listing.requests, len(listing.not_modified)) == (1, PAGES + 1, 2)


def test_a_304_that_names_no_page_is_about_the_one_asked_for(world: World, folder: Path) -> None:
    sync(world)
    world.api.fail(PATH, status=304)
    assert len(sync(world).not_modified) == PAGES


def test_a_page_is_trusted_for_a_week_only(world: World, folder: Path) -> None:
    world.api.etag = lambda content: '"always-the-same"'
    sync(world)
    change(world)
    frozen, found = read(world)
    assert (len(frozen.not_modified), found[4]) == (PAGES, "old")
    later = times.now() + timedelta(days=7)
    world.monkeypatch.setattr(times, "now", lambda: later)
    assert sync(world).not_modified == []
    assert conditions(world) == [None] * PAGES


def of_another_page(file: Path) -> None:
    other = next(one for one in sorted(file.parent.iterdir()) if one != file)
    shutil.copy(other, file)


def in_another_format(file: Path) -> None:
    told = b'{"etag": "\xff"}\n{}'
    file.write_bytes(hashlib.sha256(told).hexdigest().encode() + b"\n" + told)


def instead_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(file.read_bytes()[:70]),
        lambda file: file.write_bytes(file.read_bytes().replace(b"old", b"odd")),
        lambda file: file.write_bytes(b"\0" * file.stat().st_size),
        of_another_page,
        in_another_format,
        instead_a_folder,
    ],
)
def test_a_torn_page_is_never_used(
    world: World, folder: Path, spoil: Callable[[Path], object]
) -> None:
    sync(world)
    spoil(max(folder.iterdir()))
    assert len(sync(world).not_modified) == PAGES - 1
    assert conditions(world).count(None) == 1


def test_a_page_that_is_none_is_not_kept(world: World, folder: Path) -> None:
    world.api.fail(PATH, page=2, times=1, body=b"<html>", headers={"ETag": '"v1"'})
    assert sync(world).retries == 1
    assert conditions(world) == [None] * (PAGES + 1)
    assert len(sync(world).not_modified) == PAGES


def test_a_list_that_fails_is_asked_for_without_conditions(world: World, folder: Path) -> None:
    rows = world.api.lists[PATH]
    sync(world)
    world.api.etag = lambda content: '"a-bad-hour"'
    world.api.lists[PATH] = []
    for _ in range(2):
        assert "lists nothing" in str(read(world, held=7)[0].error)
    world.api.lists[PATH] = rows  # under the ETag of the bad hour
    sync(world)
    assert conditions(world)[0] is None


def test_a_redirect_takes_no_condition_along(world: World, folder: Path) -> None:
    world.api.lists[PATH] = world.api.lists["/moved"] = world.api.lists[PATH][:3]
    world.api.fail(PATH, status=302, headers={"Location": "/aff/moved", "ETag": '"v1"'})
    assert sync(world).requests == 2
    assert len(sync(world).not_modified) == 1
    asked = {seen.path: seen.headers.get("if-none-match") for seen in world.api.seen}
    assert asked[PATH] is None
    assert asked["/moved"] is not None


def test_pages_that_cannot_be_kept_fail_no_sync_and_are_told_once(
    world: World, folder: Path
) -> None:
    world.api.fail(PATH, page=1, times=1, after=lambda: shutil.rmtree(folder))
    said: list[str] = []
    world.api.latency = 0.05  # the folder is gone before the second page arrives
    sync(world, said)
    assert [m for m in said if "pages cannot be kept" in m] == said[:1]


def test_the_folder_of_another_user_is_not_used(world: World, folder: Path) -> None:
    (world.folder / "elsewhere").mkdir()
    folder.symlink_to(world.folder / "elsewhere")
    said: list[str] = []
    sync(world, said)
    assert [m for m in said if "belongs to somebody else" in m] == said[:1]
    assert list(folder.iterdir()) == []


def test_large_pages_are_left_out(world: World, folder: Path) -> None:
    world.monkeypatch.setattr(pages, "LARGEST_PAGE", 300)
    world.api.lists[PATH][4]["coupon"] = "x" * 300
    sync(world)
    assert len(sync(world).not_modified) == PAGES - 1


def test_the_folder_does_not_grow_beyond_its_size(world: World, folder: Path) -> None:
    world.monkeypatch.setattr(pages, "LARGEST_FOLDER", 800)
    for _ in range(2):
        sync(world)
        assert 0 < sum(file.stat().st_size for file in folder.iterdir()) <= 800
    assert 0 < len(sync(world).not_modified) < PAGES


def test_what_nobody_uses_is_swept(world: World, folder: Path) -> None:
    sync(world)
    for days, name in ((8, "another, gone"), (1, "another, in use")):
        (folder / name).write_text("a page of another account")
        moment = times.now().timestamp() - days * pages.DAY
        os.utime(folder / name, (moment, moment))
    sync(world)
    assert [file.name for file in folder.glob("another*")] == ["another, in use"]
    world.configure("affiliates", keep_pages=0)
    assert sync(world).not_modified == []
    assert [file.name for file in folder.iterdir()] == ["another, in use"]


def test_accounts_share_no_pages_and_no_file_tells_a_secret(world: World, folder: Path) -> None:
    sync(world)
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert SECRETS["affiliates"].encode() not in file.name.encode() + file.read_bytes()
    world.api.authorization["affiliates"] = "Bearer another"
    world.configure("affiliates", api_key="another")
    assert sync(world).not_modified == []


def test_the_sandbox_vouches_for_its_pages(world: World, folder: Path) -> None:
    with Sandbox(Account(clock=lambda: 1_795_262_400.0)) as sandbox:
        world.configure(
            "affiliates",
            base_url=sandbox.base_url("affiliates"),
            api_key=SANDBOX_SECRETS["affiliates"],
        )
        first, second = (read(world)[0] for _ in range(2))
    assert first.rows == second.rows > 0
    assert (len(first.not_modified), len(second.not_modified)) == (0, second.pages)
