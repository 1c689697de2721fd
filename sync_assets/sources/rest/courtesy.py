"""Politeness towards one API: requests in flight, requests in any minute, and shared pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sync_assets.sources.rest.window import SharedWindow, Window

MINUTE = 60.0


class Courtesy:
    """Lets requests through at most `max_concurrency` at once and `per_minute` in any minute.

    The minute is the API's: a request counts from its answer on, since it may have taken until
    then to arrive, so that no minute of the API holds more, whatever the network does.
    With a rate, all processes of this machine that use one account keep to it together, and rest
    together.
    """

    def __init__(self, max_concurrency: int, per_minute: int, account: str = "") -> None:
        self._slots = threading.BoundedSemaphore(max_concurrency)
        self.per_minute = per_minute
        self._window = SharedWindow(account) if per_minute and account else Window()
        self._lock = threading.Lock()

    @contextmanager
    def request(self) -> Iterator[float]:
        """Hold one slot for one request; gives the seconds that were waited for rate or pause."""
        with self._slots:
            waited = 0.0
            while True:
                booked, wait = self._book()
                if wait <= 0:
                    break
                time.sleep(wait)
                waited += wait
            try:
                yield waited
            finally:
                self._answered(booked)

    def pause(self, seconds: float) -> None:
        """Hold back every request of this API: it has asked for patience."""
        with self._lock, self._window.held() as window:
            window.paused_until = max(window.paused_until, time.monotonic() + seconds)

    def _book(self) -> tuple[float, float]:
        """The moment, for which a request is booked now unless there are seconds to wait first."""
        with self._lock, self._window.held() as window:
            now = time.monotonic()
            if now < window.paused_until:
                return now, window.paused_until - now
            if not self.per_minute:
                return now, 0.0
            while window.sent and not now - MINUTE < window.sent[0] <= now:
                window.sent.popleft()
            if len(window.sent) < self.per_minute:
                window.sent.append(now)
                return now, 0.0
            return now, window.sent[0] + MINUTE - now

    def _answered(self, booked: float) -> None:
        if not self.per_minute:
            return
        with self._lock, self._window.held() as window:
            if booked in window.sent:
                window.sent.remove(booked)
            window.sent.append(time.monotonic())
