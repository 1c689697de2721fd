"""A long list leaves room in the quota from a page on, and its first pages and heads do not."""

from __future__ import annotations

import json
from collections import Counter
from math import inf

from sync_assets.sources.events import API
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.http.usage import Usage
from sync_assets_tests.support.played_clock import PlayedClock, played_account
from sync_assets_tests.support.world import World

PAGES, LONG_FROM, OURS = 60, 5, 20


def test_a_long_list_leaves_room_from_a_page_on(world: World) -> None:
    world.monkeypatch.delenv("SOURCES__EVENTS__REQUESTS_PER_MINUTE")
    world.configure("events", QUOTA="25/1800", HEADS_FROM_PAGES=LONG_FROM)
    clock, usage, free = PlayedClock(0.0, inf, lambda: None), Usage(), list[float]()

    def answer(path: str, query: dict[str, list[str]]) -> bytes:
        free.append(usage.free(quota, clock.now))
        following = path if len(free) < PAGES else None
        rows = [{"id": f"or_{PAGES - len(free)}"}]
        return json.dumps({"data": rows, "links": {"next": following}}).encode()

    account = played_account(clock, usage, answer, Counter())
    quota = account.connection.adapter.rate_limiter.quota
    result = SyncResult(strict=False)
    ListReader(account, {}, result).read(API.endpoints["orders"], None)
    (listing,) = result.listings.values()
    assert (listing.error, listing.pages) == (None, PAGES)
    assert clock.now > 3 * 1800, "the windows were full"
    assert min(free) == OURS // 10
