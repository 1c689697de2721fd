"""Evaluates how fresh each list is, by what the warehouse knows of it.

Dagster judges an asset by its newest materialization, whichever partition that is of. Here every
partition that may still change has to be fresh; one that is over is synced once more after its end
and grace, and then again after a long while, since prizes and refunds may come late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sync_assets.base.times import known, shifted
from sync_assets.planning.cron import next_tick, time_of_run
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.planning.turns import is_turn, spread
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.life import Life, Stage
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.settings import QuotaSettings, resolve
from sync_assets.warehouse.queries import State
from sync_assets.warehouse.state.list_history import ListHistory

#: As long as a run may take: what is under way is told as stale only after so much longer.
ALLOWANCE = timedelta(hours=4)
#: Services that reckon dates anew for each answer do not say the same to the second.
JITTER = timedelta(hours=1)


def evaluate_freshness(
    api: Api, state: State, settings: AutomationSettings, now: datetime
) -> Iterator[ListFreshness]:
    """Yield the freshness of each table, and of each list whose parent the warehouse knows."""
    grace, earned = api.grace, _earned(api, settings)
    to_next = {kind: _to_next_tick(settings, kind, now) for kind in (False, True)}
    tables: dict[str, ListFreshness] = {}
    for history, life, partitioned in _lists(api, state):
        found = _verdict(history, life, partitioned, grace, settings, now)
        found = replace(found, retry_at=max(found.retry_at, state.rest_ends_at))
        if api.endpoints[history.resource].in_parts:
            table = tables.setdefault(history.resource, found)
            found = _as_part(found, table, settings)
        elif not found.over:
            found = replace(found, earned=earned(history, partitioned))
        yield found if found.over else _with_turn(found, settings, to_next[partitioned], now)


def _to_next_tick(settings: AutomationSettings, partitioned: bool, now: datetime) -> timedelta:
    cron = settings.schedule(partitioned=partitioned)
    return next_tick(cron, settings.timezone, now) - now


def _with_turn(
    found: ListFreshness, settings: AutomationSettings, to_next: timedelta, now: datetime
) -> ListFreshness:
    """Return the freshness of a list with whether the sensor or a tick requests it now."""
    max_age = settings.max_age(partitioned=found.partitioned)
    age = now - known(found.fresh_at, now)
    latest = max_age - timedelta(seconds=time_of_run(max_age.total_seconds()))
    return replace(
        found,
        early=age > max_age / 2 and age + to_next > latest,
        scheduled=age > min(max_age, to_next) / 2 and now >= found.retry_at,
    )


def _earned(api: Api, settings: AutomationSettings) -> Callable[[ListHistory, bool], bool]:
    """Return a function that says whether a list is read by heads between sweeps."""
    shortest = resolve(QuotaSettings(), ["sources", api.name], {}).heads_from_pages

    def earned(history: ListHistory, partitioned: bool) -> bool:
        if history.resource in api.without_heads or not settings.sweep_age(partitioned=partitioned):
            return False
        return history.has_earned_heads(shortest)

    return earned


def _as_part(
    verdict: ListFreshness, table: ListFreshness, settings: AutomationSettings
) -> ListFreshness:
    """Return the freshness of a table in parts or one of its lists, which are swept together."""
    part, known = verdict.history, table.history.synced_at is not None
    known = known and (part.parent is None or part.parent_row is not None)
    earned = known and bool(settings.sweep_age(partitioned=False))
    return replace(verdict, earned=earned, in_parts=True, to_sweep=table.to_sweep)


def _lists(api: Api, state: State) -> Iterator[tuple[ListHistory, Life, bool]]:
    """Each list, the life of its rows, and whether it is a partition.

    A table in parts is one as a whole, which says how old the list of its lists is and comes first,
    and one for each list that was tried.
    """
    for name in api.unpartitioned():
        yield state.histories.get(ListKey(name)) or ListHistory(name), Life(), False
        if api.endpoints[name].in_parts:
            for history in state.histories.values():
                if history.resource == name and history.parent is not None:
                    yield history, Life(), False
    for parent in api.parents:
        children = api.children(parent.resource)
        for identity, life in lives(parent, state).items():
            for name in children:
                yield (
                    state.histories.get(ListKey(name, identity)) or ListHistory(name, identity),
                    life,
                    True,
                )


def lives(parent: Parent, state: State) -> Mapping[str, Life]:
    """The ids of a parent's rows, and the life of what is below each."""
    return {str(row[parent.key]): parent.life_of(row) for row in state.parents[parent.resource]}


def _verdict(
    history: ListHistory,
    life: Life,
    partitioned: bool,
    grace: timedelta,
    settings: AutomationSettings,
    now: datetime,
) -> ListFreshness:
    stage, synced_at = life.stage(grace, now), known(history.synced_at, now)
    over = stage is Stage.OVER
    settled = over and history.final and synced_at > life.over_at(grace)
    if history.ended_at is not None and abs(history.ended_at - life.ended_at) > JITTER:
        settled = False  # its end was edited since: it may have been open meanwhile
    max_age = settings.ended_age if settled else settings.max_age(partitioned=partitioned)
    age, proof_age = now - max(synced_at, known(history.fresh_at, now)), now - synced_at
    limit = max_age + ALLOWANCE
    sweep_age = settings.sweep_age(partitioned=partitioned)
    return ListFreshness(
        history.resource,
        history.parent,
        partitioned,
        history,
        stage=stage,
        stale=age > (limit if settled else max_age),
        overdue=age > limit,
        unproven=not settled and proof_age > settings.proven_age(partitioned=partitioned),
        to_sweep=over or is_turn(sweep_age, proof_age, now, history.key.name),
        unsettled=over and not settled,
        due=settled and proof_age > spread(max_age, str(history.parent)),
        retry_at=shifted(known(history.failed_at, now), settings.pause(history.failures)),
        unread=life.unread,
    )
