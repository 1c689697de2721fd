"""The progress of a list that is being read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from sync_assets.sources.rest.http.windows import Quota


@dataclass(frozen=True)
class ListState:
    """A list of which a page was read and another one follows.

    `expected` is the number of rows if it is known: the API's total, or the rows in the warehouse.
    `free` returns how many requests `quota` allows now.
    """

    name: str
    pages: int
    rows: int
    expected: int | None
    quota: Quota
    free: Callable[[], float]

    @property
    def pages_left(self) -> int | None:
        """Return the number of pages that remain; None if it is not known."""
        if not self.rows or self.expected is None or self.expected <= self.rows:
            return None
        return ceil((self.expected - self.rows) * self.pages / self.rows)

    def seconds_left(self, pages_per_second: float) -> float | None:
        """Estimate the seconds that they take, by the pace so far and by the quota."""
        left = self.pages_left
        if left is None or pages_per_second <= 0:
            return None
        beyond = max(0.0, left - self.free())
        by_quota = [window.seconds * beyond / window.requests for window in self.quota.ours]
        return max([left / pages_per_second, *by_quota])
