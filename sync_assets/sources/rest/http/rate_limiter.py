"""Politeness towards one API: requests in flight, its quota, and shared pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf

from sync_assets.base import stop
from sync_assets.base.errors import LONGEST_REST, asked_to_rest
from sync_assets.sources.rest.http.budget import Budget, LocalBudget
from sync_assets.sources.rest.http.quota_headers import said_left
from sync_assets.sources.rest.http.usage import Turn
from sync_assets.sources.rest.http.windows import Quota

#: Seconds: a shorter wait for the quota is not told, and none within so many of the last.
TOLD_SECONDS, QUIET_SECONDS = 5.0, 300.0


def _always() -> None:
    """Nothing speaks against a request."""


def _silent(message: str) -> None:
    """Nobody listens."""


class RateLimiter:
    """Lets requests through at most `max_concurrency` at once, and no more than the quota.

    The windows are the API's: a request counts from its answer on, since it may have taken until
    then to arrive, so that no window of the API holds more, whatever the network does.
    All processes that use one account keep to it together, and rest together. A rest of more than
    `max_wait` seconds is a `RestError` at once; a wait for a window of the quota is not.
    """

    def __init__(
        self,
        max_concurrency: int,
        quota: Quota,
        account: str = "",
        max_wait: float = inf,
        budget: Budget | None = None,
    ) -> None:
        self._slots = threading.BoundedSemaphore(max_concurrency)
        self.quota, self.max_wait = quota, max_wait
        self.stop = stop.current()
        self._budget = budget or LocalBudget(quota, account)
        self._lock = threading.Lock()
        self._in_flight = 0
        self._quiet_until = 0.0

    @contextmanager
    def request(
        self, may: Callable[[], None] = _always, say: Callable[[str], None] = _silent
    ) -> Iterator[float]:
        """Hold one slot for one request; gives the seconds that were waited for rate or pause.

        `may` raises where the request should not be sent any more; `say` is told of long waits.
        """
        with self._slots:
            turn, waited = self._booked(may, say)
            self._count(1)
            try:
                yield waited
            finally:
                self._count(-1)
                self._budget.answered(turn)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Go by what an answer, whose slot is still held, says is left of the quota."""
        left = said_left(headers)
        if left is not None:
            self._budget.heed(left, self._in_flight)

    def pause(self, seconds: float) -> None:
        """Hold back every request of this API: it has asked for patience."""
        self._budget.pause(min(seconds, LONGEST_REST))

    def free(self) -> float:
        """How many requests the quota has room for now; infinite without a limit."""
        return self._budget.free()

    def news(self) -> list[str]:
        """What there is to say, once: that the usage of the account could not be shared."""
        return self._budget.news()

    def _booked(self, may: Callable[[], None], say: Callable[[str], None]) -> tuple[Turn, float]:
        """A request that is booked, and the seconds that were waited for it."""
        waited = 0.0
        while True:
            self.stop.check()
            may()
            turn = self._budget.book()
            if turn.wait <= 0:
                return turn, waited
            if turn.rests and turn.wait > self.max_wait:
                raise asked_to_rest(turn.wait, self.max_wait)
            self._tell(turn, say)
            self.stop.wait(turn.wait)
            waited += turn.wait

    def _tell(self, turn: Turn, say: Callable[[str], None]) -> None:
        now = time.monotonic()
        with self._lock:
            if turn.rests or turn.wait < TOLD_SECONDS or now < self._quiet_until:
                return
            self._quiet_until = now + max(turn.wait, QUIET_SECONDS)
        windows = ", ".join(map(str, self.quota.ours)) or "by what the API says"
        say(f"the quota is used up ({windows}): going on in {turn.wait:,.0f} s")

    def _count(self, by: int) -> None:
        with self._lock:
            self._in_flight += by
