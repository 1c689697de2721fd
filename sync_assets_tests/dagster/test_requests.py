"""How often the APIs are asked: once for each page, and again only where something may change."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets.base.times import parse_time
from sync_assets.sandbox import Account, Sandbox
from sync_assets.sandbox.app import ROOTS
from sync_assets.sources import apis
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.paging.overlap import furthest
from sync_assets_tests.support.dagster_world import DagsterWorld, environment
from sync_assets_tests.support.documents import DOCS

pytestmark = pytest.mark.long

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
PAGE_SIZE = {"promotions": 100, "affiliates": 100, "events": 100}
GRACE, NIGHT = timedelta(days=2), timedelta(hours=15)
TOLD = r"^\| (?:first sync|a later sync by the schedules.*) \| (\d+) \|$"


class Clock:
    """The clock of the account and of the project."""

    now = NOON

    def __call__(self) -> float:
        """The time it shows, as the sandbox reads it."""
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterWorld]:
    """The account of the documents, and an instance that has never run anything."""
    folder = tmp_path_factory.mktemp("requests")
    account = Account(clock=clock)
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        Sandbox(account, latency=0.01) as sandbox,
        dg.DagsterInstance.local_temp(str(folder)) as instance,
    ):
        for name, value in environment(sandbox, folder / "warehouse.duckdb").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setattr(times, "now", lambda: clock.now)
        yield DagsterWorld(instance, account, sandbox, folder / "warehouse.duckdb")


def pages(account: Account, source: str, endpoint: Endpoint, parents: list[str]) -> Counter[str]:
    """The pages of a resource by path, of the lists below some parents."""
    found: Counter[str] = Counter()
    for parent in parents if endpoint.parent else [None]:
        rows = len(account.rows(source, endpoint.name, parent))
        path = ROOTS[source] + endpoint.path.replace(f"{{{endpoint.parent_param}}}", str(parent))
        found[path] = requests(source, rows)
    return found


def requests(source: str, rows: int) -> int:
    """How many pages a list has; those of affiliates overlap."""
    size = PAGE_SIZE[source]
    if source != "affiliates":
        return max(1, -(-rows // size))
    asked, read = 1, size
    while read < rows:
        asked, read = asked + 1, furthest(read, size).end
    return asked


def live(account: Account, now: datetime) -> dict[str, list[str]]:
    """The parents below which something may have changed by then, as the documents say it."""
    running = [
        row["id"]
        for row in account.rows("promotions", "promotions")
        if (parse_time(row["start_date"]) or now) <= now
        and (parse_time(row["end_date"]) or now) >= now - GRACE
    ]
    sold = {
        ticket["event_series_id"]
        for ticket in account.rows("events", "issued_tickets")
        if ticket["created_at"] >= (now - GRACE).timestamp()
    }
    series = account.rows("events", "events_series")
    selling = [r["id"] for r in series if r["upcoming_occurrences"] or r["id"] in sold]
    return {"promotions": running, "events": selling}


def expected(account: Account, parents: dict[str, list[str]] | None = None) -> Counter[str]:
    """A request a page: of the lists below these parents, or below all."""
    found: Counter[str] = Counter()
    for source, api in apis().items():
        for endpoint in api.endpoints.values():
            listed = account.parents(source, endpoint.name)
            asked = parents[source] if parents and endpoint.partitioned else listed
            found += pages(account, source, endpoint, asked)
    return found


def test_a_day_of_requests(world: DagsterWorld, clock: Clock) -> None:
    world.sync_everything()
    first = world.sandbox.requests_by_path()
    assert first == expected(world.account)
    told = [first.total()]

    parents = live(world.account, clock.now + NIGHT)
    clock.now += NIGHT
    schedules = [f"{name}_hourly" for name in apis()]
    schedules += ["promotions_promotions_hourly", "events_event_series_hourly"]
    requests = [request for name in schedules for request in world.schedule(name)]
    for request in requests:
        assert world.run_request(request).success
    second = world.sandbox.requests_by_path() - first
    assert second == expected(world.account, parents)
    assert 0 < len(parents["promotions"]) < len(world.account.parents("promotions", "users"))
    told.append(second.total())

    figures = re.findall(TOLD, DOCS["performance"], re.M)
    assert [int(asked) for asked in figures] == told
