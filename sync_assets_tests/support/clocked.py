"""A rate limit on a clock of its own: half an hour takes no time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from math import inf

from sync_assets.sources.rest.http.usage import Turn, Usage
from sync_assets.sources.rest.http.windows import Quota
from sync_assets_tests.support.counts import SEED

#: The pages of each list: of the sandbox, of 1,000 running contests, of a million tickets.
ACCOUNTS = {
    "promotions, small": [1, 1, *[1, 2, 2, 1, 1] * 30],
    "promotions, medium": [10, 5, *[1, 20, 30, 1, 4] * 100],
    "events, large": [3, *[2, 1] * 200, 1, 20, *[1] * 2_000, 1, 7_000, 10_000, 4_000],
}


def clocked(
    usage: Usage, quota: Quota, seconds: float, latency: float, flights: int
) -> list[float]:
    """When requests arrive if so many are in flight all the time, on a clock of its own."""
    chance, now, arrived = random.Random(SEED), 0.0, []
    flying: list[tuple[float, Turn]] = []
    while now < seconds:
        for end, turn in [flight for flight in flying if flight[0] <= now]:
            usage.answered(turn, quota, now)
            flying.remove((end, turn))
        booked = usage.book(quota, now) if len(flying) < flights else None
        if booked is not None and booked.wait <= 0:
            end = now + latency * chance.uniform(0.5, 1.5)
            arrived.append(chance.uniform(now, end))
            flying.append((end, booked))
            continue
        waits = [end - now for end, _ in flying] + ([booked.wait] if booked is not None else [])
        now += max(min(waits), 1e-6)
    return sorted(arrived)


def seconds_of_lists(
    usage: Usage, quota: Quota, lists: Sequence[int], latency: float, in_flight: int
) -> float:
    """When the last page of some lists has come, on a clock of its own.

    Two lists more are read side by side than requests are in flight; a list is asked for a page
    once the page before has come.
    """
    chance, now, sent = random.Random(SEED), 0.0, 0
    waiting = list(reversed(lists))
    ready = [waiting.pop() for _ in range(min(in_flight + 2, len(waiting)))]
    flying: list[tuple[float, int, int, Turn]] = []
    while ready or flying:
        turn = usage.book(quota, now) if ready and len(flying) < in_flight else None
        if turn is not None and turn.wait <= 0:
            sent, end = sent + 1, now + latency * chance.uniform(0.5, 1.5)
            heapq.heappush(flying, (end, sent, ready.pop(0), turn))
            continue
        ends = flying[0][0] if flying else inf
        now = min(ends, now + turn.wait if turn is not None else inf)
        while flying and flying[0][0] <= now:
            _, _, left, answered = heapq.heappop(flying)
            usage.answered(answered, quota, now)
            if left > 1:
                ready.append(left - 1)
            elif waiting:
                ready.append(waiting.pop())
    return now


def most_in(at: Sequence[float], seconds: float) -> int:
    """The most moments that any window of so many seconds holds."""
    return max(sum(1 for other in at if one <= other < one + seconds) for one in at)
