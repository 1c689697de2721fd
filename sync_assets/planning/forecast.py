"""Estimates, without a request, what a source's plan costs and whether it fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sync_assets.planning.best import best_plan
from sync_assets.planning.costs import ListCost, list_costs
from sync_assets.planning.duration import Pace, Reading
from sync_assets.planning.fit import DAY, Fit, Load, allowed_a_day, fit
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.planning.timing import timings
from sync_assets.planning.turns import spread
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.http.windows import Quota
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.settings import QuotaSettings, resolve
from sync_assets.warehouse.queries import State

#: Seconds until an answer, where none was measured.
LATENCY_SECONDS = 0.3


@dataclass(frozen=True)
class Line:
    """All lists of a resource: what they held when last read, and what they cost.

    `by_heads` counts the lists that are read by their heads between sweeps. `rows`, `pages` and
    `requests` are those of one read of all lists, `requests_a_day` those of all reads of a day.
    `seconds` is the time of one read of the lists that have not ended, `rows_a_page` the smallest
    full page. They are None if no list of the resource was ever read; `pages` also if the version
    that read it did not count them. The `unread` lists count as the mean of the others; `listed`
    says whether it is known which lists there are.
    """

    resource: str
    listed: bool
    lists: int
    ended: int
    by_heads: int
    unread: int
    rows: int
    pages: int | None
    requests: float | None
    requests_a_day: float | None
    seconds: float | None
    rows_a_page: int | None


@dataclass(frozen=True)
class Forecast:
    """A source's plan: the cost of each list, a line for each resource, and the totals."""

    source: str
    costs: Sequence[ListCost]
    lines: Sequence[Line]
    load: Load
    pace: Pace
    fit: Fit
    full_seconds: float
    page_size: int | None

    @property
    def quota(self) -> Quota:
        """The quota of the account."""
        return self.pace.quota

    @property
    def unknown(self) -> list[str]:
        """The resources that were never read, so that their cost is unknown."""
        return [line.resource for line in self.lines if line.requests is None]

    @property
    def fits(self) -> bool:
        """Whether the plan fits, as far as is known."""
        return not self.fit.problems

    @cached_property
    def best(self) -> Fit | None:
        """The best plan that fits; None if there is none."""
        return best_plan(self.load, self.pace, self.fit.tables, self.fit.partitions)

    @property
    def short_pages(self) -> list[Line]:
        """The lines whose pages have fewer rows than requested."""
        wanted = self.page_size or 0
        return [line for line in self.lines if line.rows_a_page and line.rows_a_page < wanted]

    def share(self, line: Line) -> float | None:
        """Return the share of the quota that a line uses."""
        a_day = line.requests_a_day
        return None if a_day is None else a_day / allowed_a_day(self.pace)


def forecast(
    api: Api, state: State, settings: AutomationSettings, lists: Iterable[ListFreshness]
) -> Forecast:
    """Estimate what the present schedules cost, from what the last syncs recorded."""
    limits = resolve(QuotaSettings(), ["sources", api.name], {})
    page_size = limits.page_size or api.page_size
    costs = list_costs(lists, page_size)
    pace = Pace(limits.max_concurrency, _latency(costs), api.quota())
    tables, partitions = timings(settings)
    reads = {False: tables.reads_a_day, True: partitions.reads_a_day}
    load = _load(costs, reads, settings)
    by_resource: dict[str, list[ListCost]] = {name: [] for name in api.endpoints}
    for cost in costs:
        by_resource[cost.resource].append(cost)
    return Forecast(
        api.name,
        costs,
        [
            _line(name, below, pace, reads, settings, listed=_listed(api, state, name))
            for name, below in by_resource.items()
        ],
        load,
        pace,
        fit(load, pace, tables, partitions),
        pace.seconds(_reading(costs)),
        page_size,
    )


def _listed(api: Api, state: State, resource: str) -> bool:
    """Whether it is known which lists a resource has."""
    endpoint = api.endpoints[resource]
    history = state.histories.get(ListKey(str(endpoint.parent)))
    if not endpoint.partitioned or state.parents[str(endpoint.parent)]:
        return True
    return history is not None and history.synced_at is not None and not history.rows


def _reading(costs: Iterable[ListCost]) -> Reading:
    return Reading.of(cost.requests for cost in costs if cost.requests is not None)


def _latency(costs: Iterable[ListCost]) -> float:
    """Return the mean seconds until a response in the last syncs."""
    measured = [cost.history for cost in costs if cost.history.requests]
    requests = sum(history.requests or 0 for history in measured)
    if not requests:
        return LATENCY_SECONDS
    return sum(history.request_seconds for history in measured) / requests


def _load(
    costs: Sequence[ListCost], reads: Mapping[bool, float], settings: AutomationSettings
) -> Load:
    """Return what one read costs; for lists read by heads, the mean over a day's reads."""
    ended = [cost for cost in costs if cost.verdict.over]
    changing = [cost for cost in costs if not cost.verdict.over and cost.requests is not None]
    tables, partitions = (
        Reading.of(
            cost.a_day(reads[partitioned], settings) / reads[partitioned]
            for cost in changing
            if cost.verdict.partitioned == partitioned
        )
        for partitioned in (False, True)
    )
    return Load(tables, partitions, sum(_a_day(cost, {}, settings) for cost in ended))


def _line(
    resource: str,
    costs: Sequence[ListCost],
    pace: Pace,
    reads: Mapping[bool, float],
    settings: AutomationSettings,
    *,
    listed: bool,
) -> Line:
    known = listed and all(cost.requests is not None for cost in costs)
    pages = [cost.history.pages for cost in costs if cost.history.pages is not None]
    changing = [cost for cost in costs if not cost.verdict.over]
    return Line(
        resource,
        listed,
        len(costs),
        len(costs) - len(changing),
        sum(cost.head is not None for cost in costs),
        sum(not cost.seen for cost in costs),
        sum(cost.history.rows for cost in costs),
        sum(pages) if pages else None,
        _reading(costs).requests if known else None,
        sum(_a_day(cost, reads, settings) for cost in costs) if known else None,
        pace.seconds(_reading(changing)) if known else None,
        min((c.history.rows_a_page for c in costs if c.history.rows_a_page), default=None),
    )


def _a_day(cost: ListCost, reads: Mapping[bool, float], settings: AutomationSettings) -> float:
    """Return the requests a day for a list; an ended list is read once in `ended_age`."""
    requests, verdict = cost.requests or 0.0, cost.verdict
    if verdict.over:
        age = spread(settings.ended_age, str(verdict.parent))
        return requests * DAY / age.total_seconds()
    return cost.a_day(reads[verdict.partitioned], settings)
