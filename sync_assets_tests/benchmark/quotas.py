"""Page sizes and windows, side by side with the version before.

`python -m sync_assets_tests.benchmark.quotas`, about a minute: nightly requests on the clock of the
rate limiter, and syncs of a sandbox. The version before kept to a number of requests a minute, and
asked affiliates for no page size. Raises `redis.RedisError` where none answers at `TEST_REDIS_URL`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import redis

from sync_assets.sources.rest.http.usage import Usage
from sync_assets.sources.rest.http.windows import Quota, per_minute
from sync_assets_tests.support.clocked import ACCOUNTS, seconds_of_lists
from sync_assets_tests.support.machines import three_machines
from sync_assets_tests.support.page_sizes import LISTS, played
from sync_assets_tests.support.world import APIS, new_world

LATENCY, IN_FLIGHT = 0.3, 8
ROWS = 1_000
#: Requests a minute that the version before kept to.
BEFORE = {"promotions": 200, "affiliates": 120, "events": 166}
NIGHTS: dict[str, tuple[str, Sequence[int]]] = {
    "events, 2,000 lists of a page": ("events", [1] * 2_000),
    **{name: (name.partition(",")[0], lists) for name, lists in ACCOUNTS.items()},
}
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


def main() -> None:
    """Print the three tables."""
    for title, rows in (
        ("| requests | | by the minute | by windows |\n|---|--:|--:|--:|", nights()),
        (
            "| three machines | requests | answered with 429 |\n|---|--:|--:|",
            machines(),
        ),
        ("| list of 1,000 rows | 10 rows a page | 100 rows a page |\n|---|--:|--:|", pages()),
    ):
        print(title)  # noqa: T201
        for row in rows:
            print(row, flush=True)  # noqa: T201
        print()  # noqa: T201


def nights() -> Iterator[str]:
    """Minutes on the clock of the limiter, with 8 requests in flight that take 300 ms each."""
    for name, (source, lists) in NIGHTS.items():
        quotas = (
            per_minute(BEFORE[source]),
            Quota(tuple(APIS[source].windows), reserve=0.2),
        )
        taken = [seconds_of_lists(Usage(), one, lists, LATENCY, IN_FLIGHT) / 60 for one in quotas]
        yield f"| {name} | {sum(lists):,} | {taken[0]:,.1f} min | {taken[1]:,.1f} min |"


def machines() -> Iterator[str]:
    """Requests of three machines to a service that admits 30 a second."""
    with redis.Redis.from_url(REDIS_URL) as client:
        client.ping()
    for name, redis_url, quota in (
        ("each by itself, as before", None, "30/1"),
        ("each with a third of the quota", None, "10/1"),
        ("with one Redis", REDIS_URL, "30/1"),
    ):
        with tempfile.TemporaryDirectory() as folder, new_world(Path(folder)) as world:
            found = three_machines(world, redis_url, quota)
        whole = "" if found.green else " (lists failed)"
        yield f"| {name}{whole} | {found.requests} | {found.refused} |"


def pages() -> Iterator[str]:
    """Requests of a sync where an API ignores page sizes, and where it honours them."""
    for source in LISTS:
        taken = []
        for manner in ("ignored", "honoured"):
            with (
                tempfile.TemporaryDirectory() as folder,
                played(source, manner, Path(folder), ROWS) as account,
            ):
                taken.append(account.sync())
        yield f"| {source}/{LISTS[source]} | {taken[0]} | {taken[1]} |"


if __name__ == "__main__":
    main()
