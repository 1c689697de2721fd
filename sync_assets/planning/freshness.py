"""What is stale, and since when: judged list by list by what the warehouse knows of each.

Dagster judges an asset by its newest materialization, whichever partition that is of. Here every
partition that may still change has to be fresh; one that is over is synced once more after its end
and grace, and then again after a long while, since prizes and refunds may come late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zlib import crc32

from sync_assets.base.times import EPOCH, EVER, known, shifted
from sync_assets.planning.cron import next_tick, time_of_run
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.life import Life, Stage
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.settings import QuotaSettings, resolve
from sync_assets.warehouse.queries import State
from sync_assets.warehouse.state.list_history import ListHistory

#: As long as a run may take: what is under way is told as stale only after so much longer.
ALLOWANCE = timedelta(hours=4)
#: Partitions that are over are read again at different times, the first after this part of the age.
SPREAD = 0.75
#: Services that reckon dates anew for each answer do not say the same to the second.
JITTER = timedelta(hours=1)


@dataclass(frozen=True)
class ListFreshness:
    """What is to be said of a list.

    A list below a parent is a partition of its asset, or with others (not `partitioned`) all of it.
    `stale` is what is older than promised, `overdue` what is so by more than the allowance,
    `unproven` what was last read to its end longer ago than promised. `to_sweep` says that the
    next read is to be such a one, also where the list is read by its head otherwise. `unsettled` is
    what is over and was not synced since, `due` what is over and is to be read again.
    `earned` says that it is read by heads between its sweeps, or only where the row of its parent
    changed (a list of a table in parts, which is swept with all others of it). `early` is what is
    due before it is stale: half of the age is over, and the next tick of the schedule leaves no
    time for its run. `scheduled` is what a tick of the schedule asks for now: neither what was
    read just before it, nor what waits after a failure.
    `retry_at` is when a failing list may be tried again, `unread` what could not be read of its
    parent's dates.
    """

    resource: str
    parent: str | None
    partitioned: bool
    history: ListHistory
    stage: Stage
    stale: bool
    overdue: bool
    unproven: bool
    to_sweep: bool
    unsettled: bool
    due: bool
    retry_at: datetime
    unread: tuple[str, ...] = ()
    earned: bool = False
    early: bool = False
    scheduled: bool = False

    @property
    def over(self) -> bool:
        """Whether its rows cannot change any more."""
        return self.stage is Stage.OVER

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self.history.failures > 0

    @property
    def needed(self) -> bool:
        """Whether the list should be synced."""
        late = self.stale or self.unproven or self.early
        return late or self.unsettled or self.due or self.failing

    @property
    def by_head(self) -> bool:
        """Whether the read that is due next is one of its head."""
        return self.earned and not self.to_sweep

    @property
    def proven_at(self) -> datetime:
        """When it was last read to its end; the beginning of time for what never was."""
        return self.history.synced_at or EVER

    @property
    def fresh_at(self) -> datetime:
        """When it was last read, be it by its head alone."""
        return max(self.proven_at, self.history.fresh_at or EVER)


def evaluate_freshness(
    api: Api, state: State, settings: AutomationSettings, now: datetime
) -> Iterator[ListFreshness]:
    """A verdict on each list that the warehouse knows the parent of, and on each table."""
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
    """Return the verdict on a table in parts or one of its lists, which are swept together."""
    part, known = verdict.history, table.history.synced_at is not None
    known = known and (part.parent is None or part.parent_row is not None)
    earned = known and bool(settings.sweep_age(partitioned=False))
    return replace(verdict, earned=earned, to_sweep=table.to_sweep)


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


def spread(age: timedelta, name: str) -> timedelta:
    """A part of an age that is a list's own, so that not all are due at one time."""
    return age * (SPREAD + (1 - SPREAD) * _place(name))


def is_turn(period: timedelta, age: timedelta, now: datetime, name: str) -> bool:
    """Return whether a list is due that is swept once in each period, at a moment of its own.

    `age` is the time since its last sweep. The moments of all lists are spread over the period. A
    list that was swept less than half a period ago waits until half a period has passed.
    """
    if age >= period or age < period / 2:
        return age >= period
    since_its_moment = (now - EPOCH - period * _place(name)) % period
    return age > since_its_moment


def _place(name: str) -> float:
    """Return a number from 0 to 1 that depends on the name alone."""
    return crc32(name.encode("utf-8", "replace")) / 2**32
