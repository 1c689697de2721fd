"""Limits the requests to one API: by concurrency, by its quota, and by shared pauses."""

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

#: Seconds: a shorter wait for the quota is not logged, and one is logged at most this often.
LOGGED_SECONDS, QUIET_SECONDS = 5.0, 300.0


def _always() -> None:
    """Allow every request."""


def _silent(message: str) -> None:
    """Discard a message."""


class RateLimiter:
    """Lets at most `max_concurrency` requests through at once, and no more than the quota.

    A request counts from its response on, because it may have arrived as late as that. So no
    window of the API holds more than the quota, whatever the network does. All processes that use
    one account share the quota and the pauses. A pause of more than `max_wait` seconds raises
    `RestError` at once; a wait for a window of the quota does not.
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
        self,
        may: Callable[[], None] = _always,
        say: Callable[[str], None] = _silent,
        *,
        leaves_room: bool = False,
    ) -> Iterator[float]:
        """Hold a slot for one request; yields the seconds waited for the quota or a pause.

        `may` raises if the request should not be sent any more; `say` gets messages on long waits.
        With `leaves_room` the request waits until the quota has room for others as well.
        """
        with self._slots:
            turn, waited = self._booked(may, say, leaves_room=leaves_room)
            self._count(1)
            try:
                yield waited
            finally:
                self._count(-1)
                self._budget.answered(turn)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Use what a response, whose slot is still held, says is left of the quota."""
        left = said_left(headers)
        if left is not None:
            self._budget.heed(left, self._in_flight)

    def pause(self, seconds: float) -> None:
        """Hold back all requests to this API for so many seconds."""
        self._budget.pause(min(seconds, LONGEST_REST))

    def free(self) -> float:
        """Return how many requests the quota allows now; infinite without a limit."""
        return self._budget.free()

    def messages(self) -> list[str]:
        """Return new messages, each once: that the usage could not be shared."""
        return self._budget.messages()

    def _booked(
        self, may: Callable[[], None], say: Callable[[str], None], *, leaves_room: bool
    ) -> tuple[Turn, float]:
        """Wait until a request is booked; return it and the seconds waited."""
        waited = 0.0
        while True:
            self.stop.check()
            may()
            turn = self._budget.book(leaves_room=leaves_room)
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
            if turn.rests or turn.wait < LOGGED_SECONDS or now < self._quiet_until:
                return
            self._quiet_until = now + max(turn.wait, QUIET_SECONDS)
        windows = ", ".join(map(str, self.quota.ours)) or "by what the API says"
        say(f"the quota is used up ({windows}): going on in {turn.wait:,.0f} s")

    def _count(self, by: int) -> None:
        with self._lock:
            self._in_flight += by
