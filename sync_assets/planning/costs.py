"""Estimates what reading each list costs from the requests that its last sync took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import fmean

from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.warehouse.state.list_history import ListHistory

#: Rows of a page where neither the API nor the configuration says it.
ROWS_PER_PAGE = 100


@dataclass(frozen=True)
class ListCost:
    """A list, and the requests that one read of it takes; None if that is unknown.

    `head` is the requests of one read of its head; None if the list is always swept.
    `seen` says whether it was ever read; otherwise its cost is the mean of its resource's lists.
    """

    verdict: ListFreshness
    requests: float | None
    seen: bool = True
    head: float | None = None

    @property
    def next_read(self) -> float | None:
        """The requests of the read that is due next."""
        return self.head if self.verdict.by_head else self.requests

    def a_day(self, reads: float, settings: AutomationSettings) -> float:
        """The requests of a day with so many reads, as many of them sweeps as proofs need."""
        requests = self.requests or 0.0
        if self.head is None:
            return requests * reads
        partitioned = self.verdict.partitioned
        age = settings.sweep_age(partitioned=partitioned)
        sweeps = min(reads, timedelta(days=1) / age)
        return requests * sweeps + self.head * (reads - sweeps)

    @property
    def resource(self) -> str:
        """The resource of the list."""
        return self.verdict.resource

    @property
    def history(self) -> ListHistory:
        """The history of the list."""
        return self.verdict.history


def list_costs(verdicts: Iterable[ListFreshness], page_size: int | None) -> list[ListCost]:
    """Return the cost of each list; a table of several lists counts as the lists below parents."""
    found = list(verdicts)
    parts = Counter(v.resource for v in found if not v.partitioned and v.parent is not None)
    heads = {v.resource: v.history.head_pages for v in found if v.parent is None}
    shares = {name: heads.get(name, 0) / count for name, count in parts.items()}
    costs = [
        ListCost(verdict, requests, requests is not None, _head(verdict, shares))
        for verdict in found
        if verdict.parent is not None or verdict.resource not in parts
        for requests in [_requests(verdict.history, page_size or ROWS_PER_PAGE)]
    ]
    seen: dict[str, list[float]] = defaultdict(list)
    for cost in costs:
        if cost.requests is not None:
            seen[cost.resource].append(cost.requests)
    means = {resource: fmean(requests) for resource, requests in seen.items()}
    return [
        cost if cost.seen else replace(cost, requests=means.get(cost.resource)) for cost in costs
    ]


def _head(verdict: ListFreshness, shares: Mapping[str, float]) -> float | None:
    """What a read of the head takes: as much as the longest one since the last sweep.

    Of a table in parts each list has an equal share of that.
    """
    if not verdict.earned:
        return None
    return shares.get(verdict.resource, max(1, verdict.history.head_pages))


def _requests(history: ListHistory, per_page: int) -> float | None:
    """Return the requests of one read; from the rows if an older version did not count requests."""
    if history.synced_at is None:
        return None
    if history.requests is None:
        return max(1, -(-history.rows // per_page))
    return max(1, history.requests, history.pages or 0)
