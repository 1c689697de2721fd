"""Politeness towards one API: requests in flight, requests in any minute, and shared pauses."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MINUTE = 60.0


class Courtesy:
    """Lets requests through at most `max_concurrency` at once and `per_minute` in any minute."""

    def __init__(self, max_concurrency: int, per_minute: int) -> None:
        self._slots = threading.BoundedSemaphore(max_concurrency)
        self.per_minute = per_minute
        self._sent: deque[float] = deque()
        self._paused_until = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def request(self) -> Iterator[float]:
        """Hold one slot for one request; gives the seconds that were waited for rate or pause."""
        with self._slots:
            waited = 0.0
            while (wait := self._try_send()) > 0:
                time.sleep(wait)
                waited += wait
            yield waited

    def pause(self, seconds: float) -> None:
        """Hold back every request of this API: it has asked for patience."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def _try_send(self) -> float:
        """Book a request now and return 0, or return the seconds until it is worth asking again."""
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                return self._paused_until - now
            if not self.per_minute:
                return 0.0
            while self._sent and self._sent[0] <= now - MINUTE:
                self._sent.popleft()
            if len(self._sent) < self.per_minute:
                self._sent.append(now)
                return 0.0
            return self._sent[0] + MINUTE - now
