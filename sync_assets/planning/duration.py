"""How long requests take: by what the API takes to answer, and by the windows of the quota."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from sync_assets.sources.rest.http.windows import Quota, RateWindow


class Reading(NamedTuple):
    """The requests of some lists that are read together, and those of the longest list."""

    requests: float = 0.0
    longest: float = 0.0

    @classmethod
    def of(cls, lists: Iterable[float]) -> Reading:
        """The reading of lists of so many requests each."""
        requests = list(lists)
        return cls(sum(requests), max(requests, default=0.0))


NOTHING = Reading()


@dataclass(frozen=True)
class Pace:
    """What bounds a sync: requests in flight, seconds until an answer, and the quota."""

    in_flight: int
    latency: float
    quota: Quota

    def seconds(self, reading: Reading) -> float:
        """How long a sync of some lists takes.

        The pages of a list follow each other, so that few long lists are not read side by side.
        """
        if not reading.requests:
            return 0.0
        side_by_side = min(self.in_flight, reading.requests / reading.longest)
        each = self.latency / side_by_side
        return _seconds(reading.requests, each, self.latency, self.quota.ours)

    def least(self, requests: float) -> float:
        """How long so many requests take by the quota alone."""
        return _seconds(requests, 0.0, 0.0, self.quota.ours)


def _seconds(
    requests: float, each: float, latency: float, windows: tuple[RateWindow, ...]
) -> float:
    """Seconds for requests that take `each` as long as no window is full.

    A window that is full has room again once its first request was answered so long ago.
    """
    if not windows:
        return requests * each
    *shorter, longest = sorted(windows, key=lambda window: window.seconds)
    rest = tuple(shorter)
    if _seconds(longest.requests, each, latency, rest) >= longest.seconds:
        return _seconds(requests, each, latency, rest)  # it is never full
    full = max(0, ceil(requests / longest.requests) - 1)
    left = requests - full * longest.requests
    return full * (longest.seconds + latency) + _seconds(left, each, latency, rest)
