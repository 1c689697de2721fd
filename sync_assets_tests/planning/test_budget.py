"""Where the plan does not fit: what is asked for then, played on a virtual clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from sync_assets.lib.automation.budget import affordable
from sync_assets.lib.automation.in_progress import Listed, is_free, list_of
from sync_assets.lib.automation.sensor_cursor import SensorCursor
from sync_assets.planning.forecast import forecast
from sync_assets.planning.freshness import ListFreshness, evaluate_freshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.warehouse.queries import State
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets_tests.support.world import APIS

API = APIS["promotions"]
START = datetime(2026, 3, 2, tzinfo=timezone.utc)
TICK = timedelta(hours=1)
TABLES = {"promotions": 8, "organizing_brands": 4}
CHILDREN = {"stages": 1, "users": 20, "participations": 30, "prizes": 2, "rankings": 2}
LIVE, ENDED = 10, 4


@dataclass
class Run:
    """A run under way: what is left of it, and when it was requested."""

    lists: list[ListFreshness]
    done: float = 0.0
    began: datetime | None = None


@dataclass
class Played:
    """An account of contests whose schedules ask for `times` what its quota allows.

    The quota is spent on up to three runs at once, in turn; a list that is read is loaded.
    """

    times: float
    settings: AutomationSettings = field(default_factory=AutomationSettings)
    histories: dict[tuple[str, str | None], ListHistory] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    reads: dict[Listed, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    requested: Counter[Listed] = field(default_factory=Counter)
    cursor: str | None = None
    now: datetime = START
    most: float = 0.0

    def __post_init__(self) -> None:
        """Everything was read once, in the last night."""
        for name, requests in TABLES.items():
            self._load(name, None, requests, START - timedelta(minutes=30))
        for number in range(LIVE + ENDED):
            for name, requests in CHILDREN.items():
                self._load(name, str(number), requests, START - timedelta(hours=20))
        self.reads.clear()

    @property
    def demand(self) -> float:
        """The requests that the schedules ask for on a day."""
        return sum(TABLES.values()) * 24 + sum(CHILDREN.values()) * LIVE

    @property
    def rate(self) -> float:
        """The requests that the quota allows in a tick."""
        return self.demand / self.times * (TICK / timedelta(days=1))

    @property
    def state(self) -> State:
        """What the warehouse knows."""
        rows: list[dict[str, Any]] = []
        for number in range(LIVE + ENDED):
            end = START + timedelta(days=-30 if number >= LIVE else 300)
            rows.append({"id": str(number), "start_date": "2026-01-01", "end_date": end})
        return State({"promotions": rows}, self.histories)

    def play(self, days: float) -> None:
        """Live through so many days: schedules, the sensor, and what runs read."""
        until = self.now + timedelta(days=days)
        while self.now < until:
            if self.now.minute == 0:
                self._ask(lambda verdict: not verdict.partitioned, by_sensor=False)
            if (self.now.hour, self.now.minute) == (3, 0):
                self._ask(lambda one: one.partitioned and not one.over, by_sensor=False)
            self._ask(lambda verdict: verdict.needed, by_sensor=True)
            self.most = max(self.most, sum(map(_cost, self._under_way())))
            self._read()
            self.now += TICK

    def _ask(self, wanted: Any, *, by_sensor: bool) -> None:
        state, settings = self.state, self.settings
        verdicts = list(evaluate_freshness(API, state, settings, self.now))
        busy = set(map(list_of, self._under_way()))
        due = [verdict for verdict in verdicts if wanted(verdict) and is_free(verdict, busy)]
        if by_sensor:
            memory = SensorCursor.read(self.cursor)
            memory.see(verdicts, self.now)
            due = [verdict for verdict in due if memory.may_ask(verdict, settings, self.now)]
        chosen = affordable(forecast(API, state, settings, verdicts), due, busy)
        if by_sensor:
            memory.ask(chosen, self.now)
            self.cursor = memory.write()
        for partitioned in (False, True):
            lists = [verdict for verdict in chosen if verdict.partitioned == partitioned]
            if lists:
                assert not {list_of(verdict) for verdict in lists} & busy
                self.requested.update(map(list_of, lists))
                self.runs.append(Run(lists))

    def _under_way(self) -> list[ListFreshness]:
        return [verdict for run in self.runs for verdict in run.lists]

    def _read(self) -> None:
        left, active = self.rate, self.runs[:3]
        while left > 1e-9 and active:
            share = left / len(active)
            for run in list(active):
                left -= self._spend(run, share)
                if not run.lists:
                    active.remove(run)
        self.runs = [run for run in self.runs if run.lists]

    def _spend(self, run: Run, requests: float) -> float:
        spent = 0.0
        while run.lists and spent < requests:
            verdict = run.lists[0]
            costs = _cost(verdict)
            run.began = run.began or self.now
            step = min(requests - spent, costs - run.done)
            spent, run.done = spent + step, run.done + step
            if run.done >= costs - 1e-9:
                self._load(verdict.resource, verdict.parent, costs, run.began)
                run.lists, run.done, run.began = run.lists[1:], 0.0, None
        return spent

    def _load(self, resource: str, parent: str | None, requests: int, read_at: datetime) -> None:
        over = parent is not None and int(parent) >= LIVE
        self.histories[resource, parent] = ListHistory(
            resource, parent, read_at, read_at, requests=requests, pages=requests, rows=1,
            request_seconds=requests * 0.3, final=over,
        )  # fmt: skip
        self.reads[resource, parent].append(read_at)


def _cost(verdict: ListFreshness) -> int:
    return {**TABLES, **CHILDREN}[verdict.resource]


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Configures the quota of a played account: as many requests as it spends."""

    def configure(played: Played) -> None:
        a_day = round(played.demand / played.times)
        monkeypatch.setenv("SOURCES__PROMOTIONS__QUOTA", f"{a_day}/86400")
        monkeypatch.setenv("SOURCES__PROMOTIONS__QUOTA_RESERVE", "0")
        monkeypatch.setenv("SOURCES__PROMOTIONS__BASE_URL", "https://api.example.com")

    return configure


def longest_waits(played: Played, since: datetime) -> dict[bool, float]:
    """The longest time between two reads of a live list, in hours, of tables and of partitions."""
    waits: dict[bool, list[float]] = {False: [], True: []}
    for (_, parent), at in played.reads.items():
        if parent is not None and int(parent) >= LIVE:
            continue
        times = [since, *(one for one in at if one > since), played.now]
        waits[parent is not None] += [
            (after - before) / timedelta(hours=1) for before, after in pairwise(times)
        ]
    return {partitioned: max(found) for partitioned, found in waits.items()}


def live(lists: Iterable[Listed]) -> list[Listed]:
    return [one for one in lists if one[1] is None or int(one[1]) < LIVE]


@pytest.mark.parametrize(
    ("times", "slack"), [(3.0, 1.25), pytest.param(8.0, 2.0, marks=pytest.mark.long)]
)
def test_no_list_starves_and_none_is_requested_twice(
    quota: Any, times: float, slack: float
) -> None:
    played = Played(times)
    quota(played)
    days = 4 * times
    played.play(days)
    reads = {one: len(played.reads[one]) for one in live(played.requested)}
    tables = [count for (_, parent), count in reads.items() if parent is None]
    partitions = [count for (_, parent), count in reads.items() if parent is not None]
    assert (len(tables), len(partitions)) == (len(TABLES), LIVE * len(CHILDREN))
    assert max(tables) - min(tables) <= 2
    assert max(partitions) - min(partitions) <= 1
    waits = longest_waits(played, START + timedelta(days=times))
    assert waits[False] <= times * slack + 1
    assert waits[True] <= 24 * times * slack
    hour, one_more = played.demand / times / 24, max(TABLES.values()) + sum(CHILDREN.values())
    assert played.most <= hour + one_more
    under_way = Counter(map(list_of, played._under_way()))
    assert all(played.requested[one] == len(played.reads[one]) + under_way[one] for one in reads)
    spent = sum({**TABLES, **CHILDREN}[name] * len(at) for (name, _), at in played.reads.items())
    assert spent >= 0.95 * played.demand / times * days


def test_where_the_plan_fits_everything_that_is_due_is_asked_for(quota: Any) -> None:
    played = Played(0.9)
    quota(played)
    verdicts = list(evaluate_freshness(API, played.state, played.settings, played.now))
    found = forecast(API, played.state, played.settings, verdicts)
    assert affordable(found, verdicts, set()) == verdicts


def test_partitions_that_are_under_way_leave_the_tables_their_room(quota: Any) -> None:
    played = Played(3.0)
    quota(played)
    verdicts = list(evaluate_freshness(API, played.state, played.settings, played.now))
    found = forecast(API, played.state, played.settings, verdicts)
    backfill = {(name, None) for name in CHILDREN}
    assert {verdict.resource for verdict in affordable(found, verdicts, backfill)} == {"promotions"}
    one = affordable(found, verdicts, {("promotions", None)})
    assert {verdict.resource for verdict in one} == set(CHILDREN)
    assert len({verdict.parent for verdict in one}) == 1


def test_a_list_that_failed_just_now_lets_the_others_go_first(quota: Any) -> None:
    played = Played(3.0)
    quota(played)
    failed = played.histories["promotions", None]
    played.histories["promotions", None] = replace(failed, failures=1, failed_at=START)
    verdicts = list(evaluate_freshness(API, played.state, played.settings, played.now))
    found = forecast(API, played.state, played.settings, verdicts)
    tables = [verdict for verdict in verdicts if not verdict.partitioned]
    assert affordable(found, tables, set())[0].resource == "organizing_brands"
