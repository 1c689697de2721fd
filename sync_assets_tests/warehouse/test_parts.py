"""Tables in parts between two sweeps: lists are read where the row of their parent changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, Literal

import pytest

from sync_assets.base.times import EVER
from sync_assets.sources import events
from sync_assets.sources.rest.extract import lists, parent_rows, parents, unfinished
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.queries import state
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets_tests.support.postgres import either_warehouse
from sync_assets_tests.support.world import World

BOTH = ("vouchers", "vouchers_codes")


class Vouchers:
    """Vouchers and their codes, and what syncs make of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.api.lists["/vouchers"] = []
        for name in ("v1", "v2", "v3"):
            self.issue(name, "a", "b")

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The vouchers by their ids."""
        return {row["id"]: row for row in self.world.api.lists["/vouchers"]}

    def issue(self, voucher: str, *codes: str, **said: Any) -> None:
        """One more voucher, or other codes of one, which its row tells."""
        if voucher not in self.rows:
            self.world.api.lists["/vouchers"].append({"id": voucher})
        self.rows[voucher].update({"total_codes": len(codes), **said})
        self.world.api.lists[self.path(voucher)] = [{"id": code} for code in codes]

    def path(self, name: str) -> str:
        """Where the codes of a voucher are."""
        return f"/vouchers/{name}/codes"

    def sync(
        self, read: Literal["sweep", "heads"] = "heads", *resources: str, **options: Any
    ) -> dict[str, ListResult]:
        """Sync; the lists that were read."""
        self.world.api.seen.clear()
        return self.world.sync("events", *(resources or BOTH), read=read, **options)

    @property
    def asked(self) -> list[str]:
        """The vouchers of which the last sync asked for codes."""
        paths = {seen.path for seen in self.world.api.seen} - {"/vouchers"}
        return sorted(path.split("/")[2] for path in paths)

    def held(self) -> dict[str, str]:
        """The codes of each voucher in the table."""
        sql = "SELECT voucher_id, id FROM events.vouchers_codes ORDER BY ALL"
        found: dict[str, str] = {}
        for row in self.world.query(sql):
            found[row["voucher_id"]] = found.get(row["voucher_id"], "") + row["id"]
        return found

    def known(self, voucher: str | None = None) -> ListHistory:
        """What the warehouse knows of a list, or of all."""
        return state(events.API).histories[ListKey("vouchers_codes", voucher)]

    def proven_at(self) -> datetime:
        """When all codes were last read."""
        return self.known().synced_at or EVER


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def vouchers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vouchers]:
    """Three vouchers in either warehouse, swept."""
    with either_warehouse(request.param, tmp_path) as world:
        made = Vouchers(world)
        world.api.page_size = 100
        made.sync("sweep")
        yield made


def test_codes_are_read_below_vouchers_that_are_new_or_changed(vouchers: Vouchers) -> None:
    swept = [vouchers.known(name).synced_at for name in (None, "v1", "v2")]
    vouchers.issue("v2", "a", "c")
    vouchers.rows["v2"]["name"] = "other"
    vouchers.issue("v4", "z")
    vouchers.issue("v5")
    found = vouchers.sync()
    assert vouchers.asked == ["v2", "v4", "v5"]
    assert len(vouchers.world.api.seen) == 4
    assert vouchers.held() == {"v1": "ab", "v2": "ac", "v3": "ab", "v4": "z"}
    table, left, read = vouchers.known(), vouchers.known("v1"), vouchers.known("v2")
    assert [table.synced_at, left.synced_at] == swept[:2]
    assert read.synced_at == found["vouchers_codes of v2"].read_at
    assert table.fresh_at == left.fresh_at == found["vouchers"].read_at
    assert (table.rows, table.rows_before, table.head_pages) == (7, 0, 3)
    vouchers.sync()
    assert vouchers.asked == []
    assert vouchers.known("v2").fresh_at == vouchers.known().fresh_at


def test_no_codes_are_read_before_it_is_known_which_vouchers_changed(
    vouchers: Vouchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    compares = Event()
    below = lists.ListReader.below

    def slowly(*of: Any) -> dict[str, str]:
        compares.set()
        time.sleep(0.2)
        return parent_rows.digests(*of)

    def meanwhile(*of: Any) -> Sequence[str]:
        compares.wait(5)
        return below(*of)

    monkeypatch.setattr(parents, "digests", slowly)
    monkeypatch.setattr(lists.ListReader, "below", meanwhile)
    vouchers.sync("sweep")
    assert {vouchers.known(name).parent_row is None for name in vouchers.rows} == {False}
    vouchers.sync()
    assert vouchers.asked == []


def test_a_sweep_reads_all_codes_and_counts_those_that_no_head_would_have_found(
    vouchers: Vouchers,
) -> None:
    vouchers.world.api.lists[vouchers.path("v1")] = [{"id": one} for one in "bcd"]
    vouchers.issue("v2", "x")
    vouchers.sync()
    assert vouchers.held() == {"v1": "ab", "v2": "x", "v3": "ab"}
    found = vouchers.sync("sweep")
    assert vouchers.asked == ["v1", "v2", "v3"]
    assert vouchers.held() == {"v1": "bcd", "v2": "x", "v3": "ab"}
    one = found["vouchers_codes of v1"]
    assert (one.rows_added, one.rows_deleted, one.missed_by_heads) == (2, 1, 2)
    assert [vouchers.known(name).head_pages for name in (None, "v2")] == [0, 0]
    (told,) = vouchers.world.query(
        "SELECT rows_added, rows_deleted, missed_by_heads FROM events._syncs"
        " WHERE list = 'vouchers_codes'"
    )
    assert told == {"rows_added": 2, "rows_deleted": 1, "missed_by_heads": 2}


@pytest.mark.long
def test_codes_of_a_voucher_that_is_gone_go_with_a_head(vouchers: Vouchers) -> None:
    vouchers.world.api.lists["/vouchers"].pop()
    vouchers.sync()
    assert vouchers.asked == []
    assert vouchers.held() == {"v1": "ab", "v2": "ab"}
    assert vouchers.known().rows == 4
    assert ListKey("vouchers_codes", "v3") not in state(events.API).histories


@pytest.mark.long
def test_codes_that_failed_or_never_came_are_read_again(vouchers: Vouchers) -> None:
    vouchers.issue("v2", "x")
    vouchers.issue("v4", "y")
    for name in ("v2", "v4"):
        vouchers.world.api.fail(vouchers.path(name), status=404)
    found = vouchers.sync()
    assert sorted(name for name, one in found.items() if one.error) == [
        "vouchers_codes of v2",
        "vouchers_codes of v4",
    ]
    assert vouchers.held()["v2"] == "ab"
    fresh = vouchers.known("v2").fresh_at
    vouchers.sync()
    assert vouchers.asked == ["v2", "v4"]
    assert vouchers.known("v2").fresh_at == fresh
    vouchers.world.api.heal()
    vouchers.sync()
    assert (vouchers.asked, vouchers.held()["v2"]) == (["v2", "v4"], "x")
    vouchers.sync()
    assert vouchers.asked == []


@pytest.mark.long
def test_codes_that_failed_in_a_sweep_are_read_though_their_voucher_says_the_same(
    vouchers: Vouchers,
) -> None:
    vouchers.world.api.fail(vouchers.path("v1"), status=404)
    vouchers.sync("sweep")
    vouchers.world.api.heal()
    assert vouchers.known("v1").failures == 1
    vouchers.sync()
    assert (vouchers.asked, vouchers.known("v1").failures) == (["v1"], 0)


@pytest.mark.long
def test_vouchers_that_were_loaded_without_their_codes_are_not_known(vouchers: Vouchers) -> None:
    vouchers.issue("v2", "x")
    vouchers.sync("sweep", "vouchers")
    vouchers.sync("heads", "vouchers_codes")
    assert (vouchers.asked, vouchers.held()["v2"]) == (["v2"], "x")


@pytest.mark.long
def test_rows_that_somebody_removed_are_read_again(vouchers: Vouchers) -> None:
    vouchers.world.query("DELETE FROM events.vouchers_codes WHERE voucher_id = 'v3' AND id = 'a'")
    vouchers.sync()
    assert (vouchers.asked, vouchers.held()["v3"]) == (["v3"], "ab")


@pytest.mark.long
def test_a_row_that_says_the_same_in_other_words_is_unchanged(vouchers: Vouchers) -> None:
    said = {"value": 10, "expiry": {"unix": 1, "iso": "x"}, "extra": {"b": [1], "a": None}}
    for name in vouchers.rows:
        vouchers.rows[name].update(said)
    vouchers.sync()
    assert vouchers.asked == ["v1", "v2", "v3"]
    vouchers.rows["v1"].update(
        {"value": 10.0, "expiry": {"iso": "x", "unix": 1}, "extra": {"a": None, "b": [1]}}
    )
    vouchers.rows["v2"].update({"new_field": None})
    vouchers.rows["v3"].update({"extra": {"b": [2], "a": None}})
    vouchers.sync()
    assert vouchers.asked == ["v3"]


@pytest.mark.long
def test_a_list_that_was_read_in_two_goes_is_read_again(vouchers: Vouchers) -> None:
    """Its first page may be older than the row of the voucher."""
    vouchers.world.monkeypatch.setattr(unfinished, "AFTER", 1)
    vouchers.world.configure("events", RESUME_WITHIN=1)
    vouchers.world.api.page_size = 2
    vouchers.issue("v1", *"abcdef")
    vouchers.world.api.fail(vouchers.path("v1"), page=3, status=500)
    vouchers.sync()
    vouchers.world.api.heal()
    vouchers.issue("v1", *"xbcdef", name="later")
    found = vouchers.sync()
    assert found["vouchers_codes of v1"].resumed
    vouchers.sync()
    assert (vouchers.asked, vouchers.held()["v1"]) == (["v1"], "bcdefx")
    vouchers.sync()
    assert vouchers.asked == []


@pytest.mark.long
def test_a_head_beside_a_sweep_makes_it_read_nothing_again(vouchers: Vouchers) -> None:
    def meanwhile(body: Any) -> Any:
        vouchers.world.sync("events", *BOTH, read="heads")
        return body

    swept = vouchers.proven_at()
    vouchers.issue("v3", "x")
    vouchers.world.api.fail(vouchers.path("v3"), times=1, edit=meanwhile)
    told: list[str] = []
    found = vouchers.sync("sweep", say=told.append)
    assert not [name for name, one in found.items() if one.error]
    assert not [one for one in told if "reading its first pages again" in one]
    assert vouchers.held() == {"v1": "ab", "v2": "ab", "v3": "x"}
    assert "vouchers" not in found, "the head read them later"
    assert swept < vouchers.proven_at() < found["vouchers_codes of v1"].read_at


@pytest.mark.long
def test_three_of_three_hundred_vouchers_are_three_requests_and_the_list(
    vouchers: Vouchers,
) -> None:
    for n in range(4, 301):
        vouchers.issue(f"v{n}", "a")
    vouchers.sync("sweep")
    assert len(vouchers.world.api.seen) == 3 + 300
    for n in (7, 70, 170):
        vouchers.issue(f"v{n}", "b", name="other")
    vouchers.sync()
    assert vouchers.asked == ["v170", "v7", "v70"]
    assert len(vouchers.world.api.seen) == 3 + 3
    assert [vouchers.held()[f"v{n}"] for n in (6, 7)] == ["a", "b"]
