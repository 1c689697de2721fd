"""Estimates how long requests take, from the response time of the API and the quota."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from sync_assets.sources.rest.http.windows import Quota, RateWindow


class Reading(NamedTuple):
    """The requests of lists that are read together, and those of the longest list."""

    requests: float = 0.0
    longest: float = 0.0

    @classmethod
    def of(cls, lists: Iterable[float]) -> Reading:
        """Combine lists, each given by its number of requests."""
        requests = list(lists)
        return cls(sum(requests), max(requests, default=0.0))


NOTHING = Reading()


@dataclass(frozen=True)
class Pace:
    """What limits a sync: requests in flight, seconds until a response, and the quota."""

    in_flight: int
    latency: float
    quota: Quota

    def seconds(self, reading: Reading) -> float:
        """Return how many seconds a sync of these lists takes.

        The pages of one list are read one after another, so a few long lists use few connections.
        """
        if not reading.requests:
            return 0.0
        side_by_side = min(self.in_flight, reading.requests / reading.longest)
        each = self.latency / side_by_side
        return _seconds(reading.requests, each, self.latency, self.quota.ours)

    def least(self, requests: float) -> float:
        """Return how many seconds so many requests take if only the quota limits them."""
        return _seconds(requests, 0.0, 0.0, self.quota.ours)


def _seconds(
    requests: float, each: float, latency: float, windows: tuple[RateWindow, ...]
) -> float:
    """Return the seconds for requests that take `each` seconds while no window is full.

    A full window has room again `window.seconds` after the response to its first request.
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
