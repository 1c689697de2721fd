"""The freshness of one list: how old it is, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync_assets.base.times import EVER
from sync_assets.sources.rest.life import Stage
from sync_assets.warehouse.state.list_history import ListHistory


@dataclass(frozen=True)
class ListFreshness:
    """How old a list is, and what it needs.

    A list below a parent is a partition of its asset, or one of the lists of a table in parts.

    `stale`: last read longer ago than promised. `overdue`: so by more than the allowance.
    `unproven`: last swept longer ago than promised. `to_sweep`: the next read is to be a sweep.
    `unsettled`: over, and not synced since. `due`: over, and to be read once more.
    `earned`: read by heads between sweeps; a list of a table in parts is read then only if the row
    of its parent changed (`in_parts`). `early`: half of the age has passed, and the next tick of
    the schedule leaves no time for the run. `scheduled`: a tick of the schedule requests it now.
    `retry_at`: when it may be tried again after a failure. `unread`: what could not be read of the
    dates of its parent.
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
    in_parts: bool = False
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
        """Whether the next read is less than a sweep."""
        return self.earned and not self.to_sweep

    @property
    def has_head(self) -> bool:
        """Whether a run of its own may read its head."""
        return self.earned and not self.in_parts

    @property
    def proven_at(self) -> datetime:
        """When it was last swept; the beginning of time if it never was."""
        return self.history.synced_at or EVER

    @property
    def fresh_at(self) -> datetime:
        """When it was last read, by its head or to its end."""
        return max(self.proven_at, self.history.fresh_at or EVER)
