"""Days of a box office: the sensor's ticks, the runs that it asks for, and what they show."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sync_assets.base import times
from sync_assets.lib.assets.sync_config import Listed
from sync_assets.lib.automation.budget import affordable
from sync_assets.lib.automation.in_progress import Queue, asked_now, list_of
from sync_assets.lib.automation.sensor_cursor import SensorCursor
from sync_assets.planning.cron import next_tick
from sync_assets.planning.forecast import forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import automation
from sync_assets.sources.events import API
from sync_assets.sources.rest.http.usage import Usage
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.queries import State, state
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.benchmark.million.box_office import KINDS, BoxOffice, Lived, happenings
from sync_assets_tests.benchmark.million.ledger import Ledger, query_of
from sync_assets_tests.support.played_clock import PlayedClock, played_account

START = 1_772_409_600.0  # Monday, 2 March 2026
TICK, A_RUN_STARTS = 30.0, 15.0
MAX_AGE, PROVEN, SWEPT = 1 / 12, 26.0, 24.0  # hours
QUOTA, WINDOW = 5_000, 1_800.0
#: The part of the account that its first two sweeps saw; and the rows between these.
YOUNG, SOME = 0.01, 50
SERIES, VOUCHERS = 5, 2
#: The rows of the other lists, which do not change.
SHORT = {
    "/products": 3,
    "/discounts": 5,
    "/vouchers": VOUCHERS,
    "/event_series": SERIES,
    **{f"/vouchers/{n}/codes": 50 for n in range(VOUCHERS)},
    **{f"/event_series/{n}/events": 12 for n in range(SERIES)},
    **{f"/event_series/{n}/waitlist_signups": 20 for n in range(SERIES)},
}


@contextmanager
def office(folder: Path, scale: float, seed: int) -> Iterator[OfficeDay]:
    """An account at a scale, at which its days and windows are shorter, too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DESTINATION__WAREHOUSE__DESTINATION_TYPE": "duckdb",
            "DESTINATION__WAREHOUSE__CREDENTIALS": str(folder / "warehouse.duckdb"),
            "SOURCES__EVENTS__BASE_URL": "http://127.0.0.1:9",
            "SOURCES__EVENTS__API_KEY": "played",
            "SOURCES__EVENTS__RESUME_WITHIN": "0",
            "SOURCES__EVENTS__QUOTA": f"{round(QUOTA * scale)}/{WINDOW * scale:g}",
            "AUTOMATION__EVENTS__TABLES_MAX_AGE": str(MAX_AGE),
            "AUTOMATION__EVENTS__PROVEN_MAX_AGE": str(PROVEN * scale),
        }.items():
            patch.setenv(name, value)
        day = OfficeDay(folder, scale, seed)
        patch.setattr(times, "now", day.clock.read)
        yield day


class OfficeDay:
    """An account at a scale, its warehouse in a folder, and the clock of both.

    `spent` are requests by what they were for; `loading` the most seconds that a load took, which
    are not on the clock.
    """

    def __init__(self, folder: Path, scale: float, seed: int) -> None:
        self.scale, self.dice = scale, random.Random(seed)
        lists = {kind.name: Lived(kind, self.dice) for kind in KINDS}
        self.office = BoxOffice(lists, iter(()))
        self.clock = PlayedClock(START, TICK, self._tick)
        self.ledger = Ledger(self.office, query_of(str(folder / "warehouse.duckdb")))
        self.settings, self.usage = automation(API), Usage()
        self.spent, self.loading = Counter[str](), 0.0
        self._memory = SensorCursor()
        self._known: State | None = None
        self._busy: set[Listed] = set()
        self._sweeps: list[ListFreshness] = []
        self._answered, self._ticked_at = 0.0, self.clock.read()

    def grow_up(self) -> None:
        """Two sweeps of a young account, and the first of the one that it becomes."""
        self.clock.holding = True
        sizes = [kind.rows * self.scale for kind in KINDS]
        for more in ([round(n * YOUNG) for n in sizes], [SOME] * len(KINDS), sizes):
            for lived, rows in zip(self.office.lists.values(), more, strict=True):
                lived.grow(round(rows) - (lived.rows if more is sizes else 0), self.clock.now)
            self._sync(Request(API, list(API.endpoints), account=self._account()))
            self.clock.move_to(self.clock.now + TICK)
        self.clock.holding = False
        self.spent.clear()
        self.ledger.counted.clear()
        for name, proofs in self.ledger.proofs.items():
            self.ledger.proofs[name] = proofs[-1:]

    def play(self, proofs: float) -> None:
        """Live through the time of so many proofs."""
        start, period = self.clock.now, SWEPT * 3600 * self.scale
        end = start + proofs * period
        self.office.plan = iter(happenings(KINDS, self.dice, start, end, period))
        while self.clock.now < end:
            if self._sweeps:
                self._sweep(self._sweeps[0])
            else:
                self.clock.next_tick()

    def _account(self) -> Any:
        return played_account(self.clock, self.usage, self._answer, self.spent)

    def _answer(self, path: str, query: dict[str, list[str]]) -> bytes:
        self._answered = time.monotonic()
        self.office.live(self.clock.now)
        lived = self.office.lists.get(path.strip("/"))
        if lived is not None:
            return lived.page(query.get("starting_after", [None])[0], int(query["limit"][0]))
        rows = [{"id": str(n), "upcoming_occurrences": 1} for n in range(SHORT[path])]
        return json.dumps({"data": rows, "links": {"next": None}}).encode()

    def _tick(self) -> None:
        """Ask for what is due as sensor and schedules do; what is read soon is read now."""
        now, self._known = self.clock.read(), self._known or state(API)
        verdicts = list(evaluate_freshness(API, self._known, self.settings, now))
        self._memory.see(verdicts, now)
        wanted = [one for one in verdicts if one.needed or self._ticks(one, now)]
        self._ticked_at = now
        asked = asked_now(wanted, Queue(self._busy))
        ripe = [one for one in asked if self._memory.may_ask(one, self.settings, now)]
        if not ripe:
            return
        found = forecast(API, self._known, self.settings, verdicts)
        chosen = affordable(found, ripe, self._busy)
        self._memory.ask({list_of(one): one for one in chosen}.values(), now)
        long = [v for v in chosen if v.resource in self.office.lists and not v.by_head]
        self._sweeps += long
        self._busy |= set(map(list_of, long))
        soon = [verdict for verdict in chosen if verdict not in long]
        self.clock.move_to(self.clock.now + A_RUN_STARTS)
        for partitioned in (False, True):
            self._read([one for one in soon if one.partitioned == partitioned])

    def _ticks(self, one: ListFreshness, now: datetime) -> bool:
        """Whether a schedule has ticked since the last look, and asks for a list."""
        cron = self.settings.schedule(partitioned=one.partitioned)
        return one.scheduled and next_tick(cron, self.settings.timezone, self._ticked_at) <= now

    def _read(self, verdicts: Sequence[ListFreshness]) -> None:
        """A run that reads some lists: tables, or what is below partitions."""
        if verdicts:
            names = list({one.resource: None for one in verdicts})
            below = [str(one.parent) for one in verdicts if one.partitioned]
            parents = {"events_series": list(dict.fromkeys(below))} if below else None
            swept = {one.history.key for one in verdicts if not one.by_head}
            swept |= {ListKey(parent.resource) for parent in API.parents}
            self._sync(
                Request(API, names, parents, account=self._account(), read="heads", swept=swept)
            )

    def _sweep(self, verdict: ListFreshness) -> None:
        self.clock.pass_until(self.clock.now + A_RUN_STARTS)
        self._read([verdict])
        self._sweeps.remove(verdict)
        self._busy.remove(list_of(verdict))

    def _sync(self, request: Request) -> None:
        """Sync, and compare what is loaded of the long lists; whatever fails ends the day."""
        result = sync(request)
        self.loading = max(self.loading, time.monotonic() - self._answered)
        self._known = None
        if failed := result.failed():
            raise AssertionError(failed[0].error)
        for listing in result.complete():
            if listing.resource in self.office.lists:
                self.ledger.loaded(listing, self.clock.now)
