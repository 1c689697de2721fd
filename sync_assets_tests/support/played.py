"""An account of contests on a virtual clock: schedules, the sensor, and what the quota reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from sync_assets.lib.assets.sync_config import Listed
from sync_assets.lib.automation.budget import affordable
from sync_assets.lib.automation.in_progress import is_free, list_of
from sync_assets.lib.automation.sensor_cursor import SensorCursor
from sync_assets.planning.forecast import Forecast, forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.queries import State
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets_tests.support.world import APIS

API = APIS["promotions"]
START = datetime(2026, 3, 2, tzinfo=timezone.utc)
TICK = timedelta(hours=1)
TABLES = {"promotions": 8, "organizing_brands": 4}
CHILDREN = {"stages": 1, "users": 20, "participations": 30, "prizes": 2, "rankings": 2}
LIVE, ENDED = 10, 4
Budget = Callable[[Forecast, Sequence[ListFreshness], set[Listed]], list[ListFreshness]]


def hourly_and_nightly() -> AutomationSettings:
    """Tables by the hour, partitions by the night, and the sensor for what is late."""
    return AutomationSettings(
        tables_schedule="0 * * * *",
        partitions_schedule="0 3 * * *",
        tables_max_age=2.0,
        partitions_max_age=26.0,
    )


@dataclass
class Run:
    """A run under way: what is left of it, and when it was requested."""

    lists: list[ListFreshness]
    done: float = 0.0
    began: datetime | None = None


@dataclass
class Played:
    """An account of contests whose schedules ask for `times` what its quota allows.

    `budget` chooses what is asked for of what is due. The quota is spent on up to three runs at
    once, in turn; a list that is read is loaded. `most` is the most requests that were under way.
    """

    times: float
    budget: Budget = affordable
    settings: AutomationSettings = field(default_factory=hourly_and_nightly)
    histories: dict[ListKey, ListHistory] = field(default_factory=dict)
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

    @property
    def quota(self) -> dict[str, str]:
        """The variables of its quota: as many requests as it spends."""
        names = ("QUOTA", "QUOTA_RESERVE", "BASE_URL")
        values = (f"{round(self.demand / self.times)}/86400", "0", "https://api.example.com")
        return {f"SOURCES__PROMOTIONS__{n}": v for n, v in zip(names, values, strict=True)}

    def play(self, days: float) -> None:
        """Live through so many days: schedules, the sensor, and what runs read."""
        until = self.now + timedelta(days=days)
        while self.now < until:
            if self.now.minute == 0:
                self._ask(lambda verdict: not verdict.partitioned, by_sensor=False)
            if (self.now.hour, self.now.minute) == (3, 0):
                self._ask(lambda one: one.partitioned and not one.over, by_sensor=False)
            self._ask(lambda verdict: verdict.needed, by_sensor=True)
            self.most = max(self.most, sum(map(_cost, self.under_way())))
            self._read()
            self.now += TICK

    def _ask(self, wanted: Any, *, by_sensor: bool) -> None:
        state, settings = self.state, self.settings
        verdicts = list(evaluate_freshness(API, state, settings, self.now))
        busy = set(map(list_of, self.under_way()))
        due = [verdict for verdict in verdicts if wanted(verdict) and is_free(verdict, busy)]
        if by_sensor:
            memory = SensorCursor.read(self.cursor)
            memory.see(verdicts, self.now)
            due = [verdict for verdict in due if memory.may_ask(verdict, settings, self.now)]
        chosen = self.budget(forecast(API, state, settings, verdicts), due, busy)
        if by_sensor:
            memory.ask(chosen, self.now)
            self.cursor = memory.write()
        for partitioned in (False, True):
            lists = [verdict for verdict in chosen if verdict.partitioned == partitioned]
            if lists:
                assert not {list_of(verdict) for verdict in lists} & busy
                self.requested.update(map(list_of, lists))
                self.runs.append(Run(lists))

    def under_way(self) -> list[ListFreshness]:
        """What is asked for and not loaded yet."""
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
        self.histories[ListKey(resource, parent)] = ListHistory(
            resource, parent, read_at, read_at, requests=requests, pages=requests, rows=1,
            request_seconds=requests * 0.3, final=over,
        )  # fmt: skip
        self.reads[resource, parent].append(read_at)


def _cost(verdict: ListFreshness) -> int:
    return {**TABLES, **CHILDREN}[verdict.resource]


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
    """Tables, and the lists of partitions that have not ended."""
    return [one for one in lists if one[1] is None or int(one[1]) < LIVE]
