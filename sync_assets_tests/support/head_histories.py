"""Random lives of lists that are read by heads and by sweeps, without a network.

Rows come to the front, also elsewhere, are edited and deleted, also while a list is read; requests
fail. Of each row it is remembered what it ever said. After each sync the table is compared with
the list: see `History.check`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest, Response

from sync_assets.sources import affiliates, events, promotions
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.sync import Request, sync

BASE_URL = "http://127.0.0.1:9"
READS: tuple[Literal["sweep", "heads"], ...] = ("sweep", "heads", "heads")
FRONT = (0, 0, 1, 2, 3, 8, 15)


@dataclass
class Row:
    """A record: what it has said, in order, each the moment from which on it did."""

    said: list[int]
    in_front: bool
    gone_at: int | None = None

    @property
    def id(self) -> int:
        """The moment at which it came."""
        return self.said[0]

    def may_say(self, one: int, since: int) -> bool:
        """Whether it was there and said this at some time since a moment."""
        ends = [*self.said[1:], self.gone_at or inf]
        return one in self.said and ends[self.said.index(one)] > since

    def was_there(self, since: int) -> bool:
        """Whether it was there all the time since a moment."""
        return self.id <= since and self.gone_at is None


@dataclass
class Life:
    """A list, newest first; rows that are deleted keep their place for cursors that name them.

    `now` is the moment, a number that each change raises; `proven` the one of the last sweep.
    """

    dice: random.Random
    rows: list[Row] = field(default_factory=list)
    now: int = 0
    proven: int = 0

    @property
    def listed(self) -> list[Row]:
        """What the API lists."""
        return [row for row in self.rows if row.gone_at is None]

    def change(self, step: str) -> None:
        """Let something happen to the list."""
        listed = self.listed
        self.now += 1
        if step == "front":
            self.rows.insert(0, Row([self.now], in_front=True))
        elif step == "old":
            at = self.dice.randint(0, len(self.rows))
            self.rows.insert(at, Row([self.now], in_front=False))
        elif listed and step == "delete":
            self.dice.choice(listed).gone_at = self.now
        elif listed:
            self.dice.choice(listed).said.append(self.now)


def by_offset(life: Life, query: Mapping[str, str], size: int) -> Any:
    """A page of the promotions API, whose cursor is an offset."""
    start, listed = int(query.get("next_cursor", 0)), life.listed
    rows = listed[start : start + size]
    paging = {"next_cursor": start + len(rows)} if start + len(rows) < len(listed) else {}
    return {"items": _records(rows), "paging": {**paging, "items_page": len(rows)}}


def by_number(life: Life, query: Mapping[str, str], size: int) -> Any:
    """A page of the affiliates API, with the size of the list."""
    page, listed = int(query.get("page", 1)), life.listed
    last = max(1, -(-len(listed) // size))
    following = f"{BASE_URL}/v1/coupons?page={page + 1}" if page < last else None
    meta = {"current_page": page, "last_page": last, "per_page": size, "total": len(listed)}
    rows = listed[(page - 1) * size : page * size]
    return {"data": _records(rows), "links": {"next": following}, "meta": meta}


def by_key(life: Life, query: Mapping[str, str], size: int) -> Any:
    """A page of the events API, which begins after a row, be it still there or not."""
    after = query.get("starting_after")
    start = next((i + 1 for i, row in enumerate(life.rows) if str(row.id) == after), 0)
    rows = [row for row in life.rows[start:] if row.gone_at is None]
    link = f"/orders?starting_after={rows[size - 1].id}" if len(rows) > size else None
    return {"data": _records(rows[:size]), "links": {"next": link}}


def _records(rows: list[Row]) -> list[dict[str, Any]]:
    return [{"id": row.id, "said": row.said[-1]} for row in rows]


@dataclass(frozen=True)
class Way:
    """A list of an API, and how it is paged."""

    api: Api
    resource: str
    page: Callable[[Life, Mapping[str, str], int], Any]
    parent: str | None = None
    parents: tuple[str | None, ...] = (None,)
    exact: bool = True  # whether pages begin where the last one ended


WAYS = {
    "offset cursor, below parents": Way(
        promotions.API, "users", by_offset, "promotions", ("1", "2"), exact=False
    ),
    "page numbers with a total": Way(affiliates.API, "coupons", by_number),
    "key cursor": Way(events.API, "orders", by_key),
}


class History:
    """The lists of one account, and the warehouse that follows them; `query` asks it."""

    def __init__(self, way: Way, seed: int, query: Callable[[str], list[dict[str, Any]]]) -> None:
        self.way, self.query, self.dice = way, query, random.Random(seed)
        self.size = self.dice.randint(3, 5)
        self.lives = {parent: Life(self.dice) for parent in way.parents}
        self.fates: Counter[str] = Counter()
        self._failing, self._moving = 0.0, 0.0
        for life in self.lives.values():
            for _ in range(self.dice.randint(2, 7) * self.size):
                life.change("front")
        secret = {"bearer_token": "x"} if way.api is promotions.API else {"api_key": "x"}
        settings = {"base_url": BASE_URL, "requests_per_minute": 0, "max_retries": 0, **secret}
        self.account = Account(way.api, {**settings, "page_size": self.size, "heads_from_pages": 2})
        self.account.connection.adapter.send = self._send  # type: ignore[method-assign]

    def play(self, syncs: int) -> None:
        """Let so many syncs happen, and changes between; check the table after each sync."""
        self._sync("sweep")
        for _ in range(syncs):
            for life in self.lives.values():
                self._change(life)
            self._failing = self.dice.choice([0, 0, 0, 0.1])
            self._moving = self.dice.choice([0, 0, 0.5])
            self._sync(self.dice.choice(READS))
        self._failing = self._moving = 0.0
        self._sync("sweep")

    def _change(self, life: Life) -> None:
        """Let things happen between two syncs; in one of six also what heads cannot see."""
        steps = ["front"] * self.dice.choice(FRONT)
        steps += self.dice.choices(["edit", "delete"], k=self.dice.randint(0, 3))
        if self.dice.random() < 1 / 6:
            steps += ["old"] * self.dice.randint(1, 3)
        self.dice.shuffle(steps)
        for step in steps:
            life.change(step)

    def _send(self, request: PreparedRequest, listing: ListResult, **_: Any) -> Response:
        listing.requests += 1
        life = self.lives[listing.parent]
        response = Response()
        response.request, response.url = request, request.url or ""
        response.status_code = 500 if self.dice.random() < self._failing else 200
        body = self.way.page(life, dict(parse_qsl(urlsplit(response.url).query)), self.size)
        response._content = json.dumps(body).encode()
        if self.dice.random() < self._moving:
            life.change(self.dice.choice(["front", "edit", "delete"]))
        return response

    def _sync(self, read: Literal["sweep", "heads"]) -> None:
        began = {parent: life.now for parent, life in self.lives.items()}
        held = {parent: self._held(parent) for parent in self.lives} if self.fates else {}
        parents = {str(self.way.parent): [str(p) for p in self.lives]} if self.way.parent else None
        resources = [self.way.resource]
        request = Request(
            self.way.api, resources, parents, allow_empty=True, account=self.account, read=read
        )
        for listing in sync(request).listings.values():
            life, old = self.lives[listing.parent], held.get(listing.parent, {})
            now = self._held(listing.parent)
            self.fates[fate_of(listing)] += 1
            if listing.error is not None:
                assert now == old, listing.error
                continue
            check(life, began[listing.parent], now, is_head=listing.is_head)
            check_counts(listing, old, now)
            self.fates["missed"] += listing.missed_by_heads or 0
            if self.way.exact and not listing.is_head and began[listing.parent] == life.now:
                assert listing.missed_by_heads == self._missed(life, old)
            if not listing.is_head:
                life.proven = began[listing.parent]

    def _missed(self, life: Life, old: Mapping[int, int]) -> int:
        """How many rows were not here and are behind the first page that was."""
        ids = [row.id for row in life.listed]
        pages = [ids[start : start + self.size] for start in range(0, len(ids), self.size)]
        known = next((n for n, page in enumerate(pages) if set(page) <= old.keys()), len(pages))
        return sum(one not in old for page in pages[known:] for one in page) if old else 0

    def _held(self, parent: str | None) -> dict[int, int]:
        """What the table holds of a list: what each row says, by its id."""
        where = f" WHERE promotion_id = '{parent}'" if parent else ""
        table = f"{self.way.api.name}.{self.way.resource}"
        rows = self.query(f"SELECT id, said FROM {table}{where}")  # noqa: S608 - our names
        assert len({row["id"] for row in rows}) == len(rows)
        return {int(row["id"]): int(row["said"]) for row in rows}


def fate_of(listing: ListResult) -> str:
    """What became of a list in a sync."""
    if listing.error is not None:
        return "failed"
    return "heads" if listing.is_head else "sweeps"


def check(life: Life, began: int, now: Mapping[int, int], *, is_head: bool) -> None:
    """Compare a table with its list, after a sync that began at a moment.

    A sweep: what is here was so since then, and what was there all the time is here; if nothing
    moved they are equal. A head: that since the last sweep, and all that came to the front before
    the head began is here.
    """
    since = life.proven if is_head else began
    rows = {row.id: row for row in life.rows}
    for one, said in now.items():
        assert rows[one].may_say(said, since), f"{one} says {said}"
    missing = [row.id for row in life.rows if row.was_there(since) and row.id not in now]
    assert not missing
    came = [row for row in life.listed if row.in_front and row.id <= began]
    assert not [row.id for row in came if row.id not in now]


def check_counts(listing: ListResult, old: Mapping[int, int], now: Mapping[int, int]) -> None:
    """Compare what a sync says that it changed with what it changed."""
    if listing.rows_added is None:
        assert listing.parent is not None
        return
    assert listing.rows == len(now)
    assert listing.rows_added == len(now.keys() - old.keys())
    assert listing.rows_deleted == len(old.keys() - now.keys())
    if listing.is_head:
        assert listing.rows_changed == sum(now[one] != old[one] for one in old)
