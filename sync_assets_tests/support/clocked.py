"""A rate limit on a clock of its own: half an hour takes no time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sync_assets.sources.rest.http.usage import Turn, Usage
from sync_assets.sources.rest.http.windows import Quota
from sync_assets_tests.support.counts import SEED


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
        turn = usage.book(quota, now) if len(flying) < flights else None
        if turn is not None and turn.wait <= 0:
            end = now + latency * chance.uniform(0.5, 1.5)
            arrived.append(chance.uniform(now, end))
            flying.append((end, turn))
            continue
        waits = [end - now for end, _ in flying] + ([turn.wait] if turn is not None else [])
        now += max(min(waits), 1e-6)
    return sorted(arrived)


def most_in(at: Sequence[float], seconds: float) -> int:
    """The most moments that any window of so many seconds holds."""
    return max(sum(1 for other in at if one <= other < one + seconds) for one in at)
