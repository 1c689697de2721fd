"""What reading each list costs: the requests that its last sync took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import fmean

from sync_assets.planning.freshness import ListFreshness, spread
from sync_assets.planning.settings import AutomationSettings
from sync_assets.warehouse.state.list_history import ListHistory

#: Rows of a page where neither the API nor the configuration says it.
ROWS_PER_PAGE = 100


@dataclass(frozen=True)
class ListCost:
    """A list, and the requests that one reading of it takes; None where nobody knows.

    `head` is what a read of its head takes; None where it is always swept.
    `seen` is whether it was ever read; else its cost is the mean of its resource's lists.
    """

    verdict: ListFreshness
    requests: float | None
    seen: bool = True
    head: float | None = None

    @property
    def next_read(self) -> float | None:
        """The requests of the read that is due next."""
        return self.requests if self.head is None or self.verdict.to_sweep else self.head

    def a_day(self, reads: float, settings: AutomationSettings) -> float:
        """The requests of a day with so many reads, as many of them sweeps as proofs need."""
        requests = self.requests or 0.0
        if self.head is None:
            return requests * reads
        age = settings.sweep_age(partitioned=self.verdict.partitioned)
        age = spread(age, self.history.key.name)
        sweeps = min(reads, timedelta(days=1) / age) if age else reads
        return requests * sweeps + self.head * (reads - sweeps)

    @property
    def resource(self) -> str:
        """The resource of the list."""
        return self.verdict.resource

    @property
    def history(self) -> ListHistory:
        """What its last sync brought."""
        return self.verdict.history


def list_costs(
    verdicts: Iterable[ListFreshness], page_size: int | None, heads_from: int
) -> list[ListCost]:
    """The cost of each list; a table whose rows belong to parents is the lists below them.

    Lists of `heads_from` pages or more are read by their heads, once they have earned it.
    """
    found = list(verdicts)
    in_parts = {v.resource for v in found if not v.partitioned and v.parent is not None}
    costs = [
        ListCost(verdict, requests, requests is not None, _head(verdict.history, heads_from))
        for verdict in found
        if verdict.parent is not None or verdict.resource not in in_parts
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


def _head(history: ListHistory, heads_from: int) -> float | None:
    """What a read of the head takes: as much as the longest one since the last sweep."""
    return max(1, history.head_pages) if history.has_earned_heads(heads_from) else None


def _requests(history: ListHistory, per_page: int) -> float | None:
    """What one reading takes; by its rows where a version read it that counted no requests."""
    if history.synced_at is None:
        return None
    if history.requests is None:
        return max(1, -(-history.rows // per_page))
    return max(1, history.requests, history.pages or 0)
