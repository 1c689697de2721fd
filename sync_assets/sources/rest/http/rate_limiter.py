"""Politeness towards one API: requests in flight, requests in any minute, and shared pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

from sync_assets.base import stop
from sync_assets.base.errors import LONGEST_REST, asked_to_rest
from sync_assets.sources.rest.http.rate_window import RateWindow, SharedRateWindow

MINUTE = 60.0


def _always() -> None:
    """Nothing speaks against a request."""


class RateLimiter:
    """Lets requests through at most `max_concurrency` at once and `per_minute` in any minute.

    The minute is the API's: a request counts from its answer on, since it may have taken until
    then to arrive, so that no minute of the API holds more, whatever the network does.
    With a rate, all processes of this machine that use one account keep to it together, and rest
    together. A rest of more than `max_wait` seconds is a `RestError` at once.
    """

    def __init__(
        self, max_concurrency: int, per_minute: int, account: str = "", max_wait: float = inf
    ) -> None:
        self._slots = threading.BoundedSemaphore(max_concurrency)
        self.per_minute, self.max_wait = per_minute, max_wait
        self.stop = stop.current()
        self._window = SharedRateWindow(account) if per_minute and account else RateWindow()
        self._lock = threading.Lock()

    @contextmanager
    def request(self, may: Callable[[], None] = _always) -> Iterator[float]:
        """Hold one slot for one request; gives the seconds that were waited for rate or pause.

        `may` raises where the request should not be sent any more.
        """
        with self._slots:
            waited = 0.0
            while True:
                self.stop.check()
                may()
                booked, wait = self._book()
                if wait <= 0:
                    break
                self.stop.wait(wait)
                waited += wait
            try:
                yield waited
            finally:
                self._answered(booked)

    def pause(self, seconds: float) -> None:
        """Hold back every request of this API: it has asked for patience."""
        with self._lock, self._window.held() as window:
            until = time.monotonic() + min(seconds, LONGEST_REST)
            window.paused_until = max(window.paused_until, until)

    def news(self) -> list[str]:
        """What there is to say, once: that the file of the account could not be used."""
        told, self._window.news = self._window.news, []
        return told

    def _book(self) -> tuple[float, float]:
        """The moment, for which a request is booked now unless there are seconds to wait first."""
        with self._lock, self._window.held() as window:
            now = time.monotonic()
            if now < window.paused_until:
                return now, self._bearable(window.paused_until - now)
            if not self.per_minute:
                return now, 0.0
            while window.sent and not now - MINUTE < window.sent[0] <= now:
                window.sent.popleft()
            if len(window.sent) < self.per_minute:
                window.sent.append(now)
                return now, 0.0
            return now, window.sent[0] + MINUTE - now

    def _bearable(self, rest: float) -> float:
        if rest > self.max_wait:
            raise asked_to_rest(rest, self.max_wait)
        return rest

    def _answered(self, booked: float) -> None:
        if not self.per_minute:
            return
        with self._lock, self._window.held() as window:
            if booked in window.sent:
                window.sent.remove(booked)
            window.sent.append(time.monotonic())
