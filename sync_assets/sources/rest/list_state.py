"""How far the reading of a list is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from sync_assets.sources.rest.http.windows import Quota


@dataclass(frozen=True)
class ListState:
    """A list of which a page was read and another one follows.

    `expected` are the rows that it may have, if anybody knows: the API's total, or those that the
    warehouse holds. `free` gives how many requests `quota` has room for now.
    """

    name: str
    pages: int
    rows: int
    expected: int | None
    quota: Quota
    free: Callable[[], float]

    @property
    def pages_left(self) -> int | None:
        """How many pages are to come; None where nobody knows."""
        if not self.rows or self.expected is None or self.expected <= self.rows:
            return None
        return ceil((self.expected - self.rows) * self.pages / self.rows)

    def seconds_left(self, pages_per_second: float) -> float | None:
        """About how long they take: by the pace so far, and by what the quota has room for."""
        left = self.pages_left
        if left is None or pages_per_second <= 0:
            return None
        beyond = max(0.0, left - self.free())
        by_quota = [window.seconds * beyond / window.requests for window in self.quota.ours]
        return max([left / pages_per_second, *by_quota])
