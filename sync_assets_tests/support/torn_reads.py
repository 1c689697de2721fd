"""Lists that change while they are read: random histories, read by the project's own list reader.

`python -m sync_assets_tests.support.torn_reads --count 10000` prints what became of as many
histories for each way of paging. Between any two requests rows are inserted at either end and
deleted anywhere. A row is lost if it was listed from the first request to the last and is not
among those read.

Numbered pages overlap from 20 rows on. Of smaller ones nobody can tell that a row was deleted in
front while another was inserted at the tail, between the same two requests: every page is then what
a list that stands still would send. So they lose nothing where at most one change comes between two
requests, and few otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest, Response

from sync_assets.base.errors import ListError
from sync_assets.sources import affiliates, events, promotions
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.reader import read_list
from sync_assets.sources.rest.extract.reading import Reading
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.records.rows import RowTyper

SIZES = (3, 4, 5, 10, 20)
SMALL, LARGE = (3, 4, 5, 10, 19), (20, 21, 25, 33, 40, 50, 64, 99, 100)
PAGES = 6
BASE_URL = "http://127.0.0.1:9"


@dataclass
class History:
    """A list of ids, newest first, that changes after each request, at most `most` times."""

    dice: random.Random
    most: int = 3
    sizes: Sequence[int] = SIZES
    size: int = 0
    ids: list[int] = field(default_factory=list)
    changes: int = 0
    lived: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.size = self.dice.choice(self.sizes)
        self.ids = list(range(self.dice.randint(0, self.size * PAGES), 0, -1))
        self.changes = self.dice.randint(0, self.most)
        self.lived = set(self.ids)
        self._newest, self._oldest = len(self.ids), 0

    def moves(self) -> None:
        """What happens after a request."""
        for _ in range(self.dice.randint(0, self.changes)):
            change = self.dice.choice(["front", "tail", "delete"])
            if change == "front":
                self._newest += 1
                self.ids.insert(0, self._newest)
            elif change == "tail":
                self.ids.append(self._oldest)
                self._oldest -= 1
            elif self.ids:
                del self.ids[self.dice.randrange(len(self.ids))]
        self.lived &= set(self.ids)


def by_offset(history: History, query: dict[str, str]) -> Any:
    """A page of promotions, whose cursor is an offset."""
    start = int(query.get("next_cursor", 0))
    rows = history.ids[start : start + history.size]
    more = start + len(rows) < len(history.ids)
    paging = {"next_cursor": start + len(rows)} if more else {}
    return {"items": _records(rows), "paging": {**paging, "items_page": len(rows)}}


def by_number(history: History, query: dict[str, str]) -> Any:
    """A page of coupons, numbered, with the size of the list."""
    size = min(int(query.get("limit", history.size)), history.size)
    page, total = int(query.get("page", 1)), len(history.ids)
    last = max(1, -(-total // size))
    following = f"{BASE_URL}/v1/coupons?page={page + 1}" if page < last else None
    meta = {"current_page": page, "last_page": last, "per_page": size, "total": total}
    rows = history.ids[(page - 1) * size : page * size]
    return {"data": _records(rows), "links": {"next": following}, "meta": meta}


def by_key(history: History, query: dict[str, str]) -> Any:
    """A page of orders, which starts after a record, be it listed or not."""
    after = int(query.get("starting_after", "o9999999999")[1:])
    rows = [number for number in history.ids if number < after]
    chosen = [{"id": f"o{number}"} for number in rows[: history.size]]
    more = len(rows) > history.size
    return {
        "data": chosen,
        "links": {"next": f"/orders?after={chosen[-1]['id']}" if more else None},
    }


def _records(ids: list[int]) -> list[dict[str, Any]]:
    return [{"id": number} for number in ids]


@dataclass(frozen=True)
class Way:
    """A way of paging: an API, a list that is paged so, a page of it, and how large pages are."""

    api: Api
    resource: str
    page: Callable[[History, dict[str, str]], Any]
    sizes: Sequence[int] = SIZES
    proven: bool = True


NUMBERED = Way(affiliates.API, "coupons", by_number, LARGE)
WAYS = {
    "offset cursor": Way(promotions.API, "promotions", by_offset),
    "page numbers with a total, 20 rows or more": NUMBERED,
    "page numbers with a total, fewer rows": replace(NUMBERED, sizes=SMALL, proven=False),
    "key cursor": Way(events.API, "orders", by_key),
}


@dataclass(frozen=True)
class Result:
    """What became of one history: `whole`, `red` or `lost`; whether its list stood still."""

    fate: str
    still: bool
    requests: int
    rows: int
    size: int
    error: str | None


def read(way: Way, history: History) -> Result:
    """Read one history without a network."""
    api, resource = way.api, way.resource
    endpoint = api.endpoints[resource]
    secret = {"bearer_token": "x"} if api is promotions.API else {"api_key": "x"}
    settings = {"base_url": BASE_URL, "requests_per_minute": 0, "max_retries": 0, **secret}
    connection = Account(api, settings).connection
    before = list(history.ids)

    def send(request: PreparedRequest, listing: ListResult, **_: Any) -> Response:
        listing.requests += 1
        response = Response()
        response.status_code, response.request, response.url = 200, request, request.url or ""
        body = way.page(history, dict(parse_qsl(urlsplit(request.url or "").query)))
        response._content = json.dumps(body).encode()
        history.moves()
        return response

    connection.adapter.send = send  # type: ignore[method-assign]
    listing = ListResult(resource)
    spool = Spool(RowTyper(endpoint.columns), endpoint.key, listing)
    error = None
    try:
        read_list(Reading(connection, endpoint, spool, SyncResult()))
        spool.close()
        found = {int(one.strip("o")) for one in spool.column("id")}
        fate = "whole" if history.lived <= found else "lost"
    except ListError as failure:
        fate, error = "red", str(failure)
    still = before == history.ids
    return Result(fate, still, listing.requests, len(before), history.size, error)


def fates(way: str, count: int, seed: int, most: int) -> Counter[str]:
    """What became of so many histories; `still` and `requests` are of lists that stood still."""
    dice, found = random.Random(seed), Counter[str]()
    for _ in range(count):
        result = read(WAYS[way], History(dice, most, WAYS[way].sizes))
        found[result.fate] += 1
        if result.still:
            found["still pages"] += max(1, -(-result.rows // result.size))
            found["still requests"] += result.requests
    return found


def main(arguments: list[str] | None = None) -> None:
    """Read as many histories as asked for, for each way of paging."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args(arguments)
    for way in WAYS:
        for most in (1, 3):
            found = fates(way, options.count, options.seed, most)
            told = ", ".join(f"{found[fate]:,} {fate}" for fate in ("whole", "red", "lost"))
            price = found["still requests"] / found["still pages"]
            sys.stdout.write(
                f"{way}, up to {most} changes between two requests: {told};"
                f" {price:.2f} requests a page where nothing changed\n"
            )
    sys.stdout.write(f"seed {options.seed}\n")


if __name__ == "__main__":
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    main()
