"""Chooses which of the due lists to request now if the quota cannot cover all of them in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sync_assets.base import times
from sync_assets.base.times import EVER
from sync_assets.lib.assets.sync_config import Listed
from sync_assets.lib.automation.in_progress import Queue, list_of
from sync_assets.planning.forecast import Forecast, forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import State, state

#: What is asked for, with what is under way, is what the quota reads in so much of a day.
PART = 1 / 24


def affordable(
    found: Forecast, due: Sequence[ListFreshness], busy: Collection[Listed]
) -> list[ListFreshness]:
    """Return those of the due lists for which there is room beside the lists in progress.

    If the plan fits, that is all of them. Otherwise tables and partitions each get the part of an
    hour's quota that their plan asks for, so neither waits for the other. In each, heads come
    first, then the lists with the oldest last attempt, so every list gets its turn. All lists
    below one parent are requested together. A list larger than the room is requested when nothing
    of its kind is in progress.
    """
    if found.fit.share <= 1:
        return list(due)
    costs, asked = _costs(found), found.load.tables.requests * found.fit.tables.reads_a_day
    of_tables = asked / found.fit.requests
    chosen: list[ListFreshness] = []
    for partitioned, part in ((False, of_tables), (True, 1 - of_tables)):
        room = found.fit.allowed * PART * part
        room -= sum(costs[partitioned].get(one, 0.0) for one in set(busy))
        for lists in _in_turn([verdict for verdict in due if verdict.partitioned == partitioned]):
            if room <= 0:
                break
            room -= sum(costs[partitioned].get(one, 1.0) for one in set(map(list_of, lists)))
            chosen += lists
    return chosen


def within_quota(
    api: Api,
    known: State,
    settings: AutomationSettings,
    verdicts: Sequence[ListFreshness],
    due: Sequence[ListFreshness],
    busy: Collection[Listed],
) -> list[ListFreshness]:
    """Return those of the `due` lists to request now: see `affordable`."""
    if not due or not api.quota().windows:
        return list(due)
    return affordable(forecast(api, known, settings, verdicts), due, busy)


def tables_due(
    api: Api, settings: AutomationSettings, names: Sequence[str], queue: Queue
) -> list[str]:
    """Return those of some tables that a tick requests; all if the warehouse is in use."""
    if not names:
        return []
    try:
        known = state(api)
    except WarehouseBusyError:
        return list(names)
    verdicts = list(evaluate_freshness(api, known, settings, times.now()))
    due = [v for v in verdicts if v.resource in names and v.scheduled and queue.is_free(v)]
    chosen = within_quota(api, known, settings, verdicts, due, queue.lists)
    return sorted({verdict.resource for verdict in chosen})


def _costs(found: Forecast) -> Mapping[bool, Mapping[Listed, float]]:
    """Return the requests of each list, for tables (False) and partitions (True).

    The key None stands for all partitions of a resource.
    """
    costs: dict[bool, dict[Listed, float]] = {False: defaultdict(float), True: defaultdict(float)}
    for cost in found.costs:
        partitioned = cost.verdict.partitioned
        requests = 1.0 if cost.next_read is None else cost.next_read
        for one in {list_of(cost.verdict), (cost.resource, None)}:
            costs[partitioned][one] += requests
    return costs


def _in_turn(verdicts: Iterable[ListFreshness]) -> list[list[ListFreshness]]:
    """Group the lists that are read together, and sort the groups: heads, being cheap, first.

    Among heads, the one with the oldest last attempt comes first; among sweeps, the one whose
    proof is due first.
    """
    groups: dict[str | None, list[ListFreshness]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.parent if verdict.partitioned else verdict.resource].append(verdict)
    return sorted(groups.values(), key=lambda lists: min(map(_turn, lists)))


def _turn(verdict: ListFreshness) -> tuple[bool, datetime]:
    read_at = verdict.fresh_at if verdict.by_head else verdict.proven_at
    return not verdict.by_head, max(read_at, verdict.history.failed_at or EVER)
