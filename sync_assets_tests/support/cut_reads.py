"""Lists that are cut off while they are read, and gone on with later: see `torn_reads`.

`python -m sync_assets_tests.support.cut_reads --count 200` prints what became of as many lists for
each way of paging. Each is killed once at a random page; meanwhile rows come and go.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest, Response

from sync_assets.base.errors import ListError
from sync_assets.sources import promotions
from sync_assets.sources.rest.account import Account as ApiAccount
from sync_assets.sources.rest.extract.reader import read_list
from sync_assets.sources.rest.extract.reading import Reading
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.unfinished import Unfinished
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets_tests.support.torn_reads import BASE_URL, WAYS, History, Way


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Account:
    """One list of an API, by a page function; `left` is after how many requests it is killed."""

    way: Way
    history: History
    file: Path
    left: int | None = None
    requests: int = 0
    page_size: int = 100

    def read(self) -> tuple[ListResult, list[int]]:
        """Read the list once; its figures and the ids that came. Raises `ListError`."""
        api, resource = self.way.api, self.way.resource
        secret = {"bearer_token": "x"} if api is promotions.API else {"api_key": "x"}
        settings: dict[str, Any] = {
            "base_url": BASE_URL,
            "requests_per_minute": 0,
            "max_retries": 0,
            **secret,
        }
        settings["page_size"] = self.page_size
        connection = ApiAccount(api, settings).connection
        connection.adapter.send = self.send  # type: ignore[method-assign]
        endpoint, listing = api.endpoints[resource], ListResult(resource)
        spool = Spool(RowTyper(endpoint.columns), endpoint.key, listing)
        kept = Unfinished(self.file, 6, lambda message: None)
        try:
            read_list(Reading(connection, endpoint, spool, SyncResult(), kept))
            spool.close()
        except BaseException:
            kept.close()
            raise
        kept.remove()
        return listing, [int(one.strip("o")) for one in spool.column("id")]

    def send(self, request: PreparedRequest, listing: ListResult, **_: Any) -> Response:
        """Answer a request, if the process lives."""
        if self.left is not None and self.requests >= self.left:
            raise KilledError
        self.requests += 1
        listing.requests += 1
        response = Response()
        response.status_code, response.request, response.url = 200, request, request.url or ""
        body = self.way.page(self.history, dict(parse_qsl(urlsplit(request.url or "").query)))
        response._content = json.dumps(body).encode()
        self.history.moves()
        return response

    def killed_after(self, requests: int) -> bool:
        """Read the list and be killed after so many requests; whether it came to that."""
        self.left = requests
        try:
            self.read()
        except KilledError:
            return True
        except ListError:  # it moved too often
            return False
        finally:
            self.left, self.requests = None, 0
        return False


def still(way: Way, size: int, pages: int, folder: Path) -> Account:
    """A list of so many pages that stands still."""
    history = History(random.Random(0), most=0, sizes=(size,))
    history.ids = list(range(size * pages, 0, -1))
    history.lived, history._newest = set(history.ids), size * pages
    return Account(way, history, folder / "list")


@dataclass(frozen=True)
class Fate:
    """What became of a list that was cut off, and the requests it took then."""

    name: str
    more: int
    pages: int
    resumed: int
    read_at: datetime | None = None


def cut(way: Way, dice: random.Random, most: int, away: int, folder: Path) -> Fate:
    """Kill the read of one list at random and read it again, after up to so many changes."""
    history = History(dice, most, way.sizes)
    history.ids = list(range(dice.randint(history.size * 3, history.size * 30), 0, -1))
    history.lived, history._newest = set(history.ids), len(history.ids)
    account = Account(way, history, folder / "list")
    account.file.unlink(missing_ok=True)
    pages = -(-len(history.ids) // history.size)
    account.killed_after(dice.randint(1, pages))
    busy, history.changes = history.changes, 1
    for _ in range(dice.randint(0, away)):
        history.moves()
    history.changes = busy
    try:
        listing, ids = account.read()
    except ListError:
        return Fate("red", account.requests, pages, 0)
    if len(ids) != len(set(ids)):
        return Fate("doubled", account.requests, pages, listing.resumed)
    name = "whole" if history.lived <= set(ids) else "lost"
    return Fate(name, account.requests, pages, listing.resumed, listing.read_at)


def fates(way: str, count: int, seed: int, most: int, away: int) -> Counter[str]:
    """What became of so many lists, how many of them were gone on with, and their requests."""
    dice, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            fate = cut(replace(WAYS[way]), dice, most, away, Path(folder))
            found[fate.name] += 1
            if fate.resumed:
                found.update({"gone on with": 1, "pages": fate.pages, "requests": fate.more})
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--away", type=int, default=20, help="changes while nobody reads, at most")
    arguments = parser.parse_args()
    for way in WAYS:
        for most in (0, 1):
            found = fates(way, arguments.count, arguments.seed, most, arguments.away)
            sys.stdout.write(f"{way}, up to {most} changes a page: {dict(found)}\n")


if __name__ == "__main__":
    main()
