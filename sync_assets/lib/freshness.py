"""What is stale, and since when: judged list by list by what the warehouse knows of each.

Dagster judges an asset by its newest materialization, whichever partition that is of. Here every
live partition has to be fresh; one that ended is synced once more after its end, then left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from sync_assets.lib.settings import AutomationSettings
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.history import Past
from sync_assets.warehouse.look import State

EVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a list: at most one of `stale` and `unsettled`, `failing` besides.

    A list below a parent is a partition of its asset, or with others (not `partitioned`) all of it.
    `unsettled` is what ended and was not synced since. `retry_at` is when a failing list may be
    tried again.
    """

    resource: str
    parent: str | None
    partitioned: bool
    past: Past
    live: bool
    stale: bool
    unsettled: bool
    retry_at: datetime

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self.past.failures > 0

    @property
    def needed(self) -> bool:
        """Whether the list should be synced."""
        return self.stale or self.unsettled or self.failing

    @property
    def synced_at(self) -> datetime:
        """When it was last read; the beginning of time for what never was."""
        return self.past.synced_at or EVER


def judge(api: Api, state: State, settings: AutomationSettings, now: datetime) -> Iterator[Verdict]:
    """A verdict on each list that the warehouse knows the parent of, and on each table.

    A table without partitions whose rows belong to parents has one as a whole, which says how old
    the list of its lists is, and one for each list that was tried.
    """
    for name in api.unpartitioned():
        yield _verdict(name, None, True, state, settings, now)
        if api.endpoints[name].parent is not None:
            for resource, identity in state.pasts:
                if resource == name and identity is not None:
                    yield _verdict(name, identity, True, state, settings, now, partitioned=False)
    for parent in api.parents:
        children = api.children(parent.resource)
        for key, live in alive(parent, state, now).items():
            for name in children:
                yield _verdict(name, key, live, state, settings, now)


def alive(parent: Parent, state: State, now: datetime) -> Mapping[str, bool]:
    """The ids of a parent's rows, and whether what is below each may still change."""
    return {str(row["id"]): parent.is_live(row, now) for row in state.parents[parent.resource]}


def _verdict(
    resource: str,
    parent: str | None,
    live: bool,
    state: State,
    settings: AutomationSettings,
    now: datetime,
    *,
    partitioned: bool = True,
) -> Verdict:
    partitioned = partitioned and parent is not None
    past = state.pasts.get((resource, parent)) or Past(resource, parent)
    max_age = settings.max_age(partitioned=partitioned)
    age = now - (past.synced_at or EVER)
    return Verdict(
        resource,
        parent,
        partitioned,
        past,
        live=live,
        stale=live and age > max_age,
        unsettled=not live and not past.final,
        retry_at=max((past.failed_at or EVER) + settings.pause(past.failures), state.rest_ends_at),
    )
