"""Who keeps the usage of an account: this process, all of this machine, or a Redis for many."""

from __future__ import annotations

import time
from threading import Lock
from typing import Protocol

from sync_assets.sources.rest.http.quota_headers import Left
from sync_assets.sources.rest.http.usage import Turn, Usage
from sync_assets.sources.rest.http.usage_file import SharedUsage
from sync_assets.sources.rest.http.windows import Quota


class Budget(Protocol):
    """What a rate limiter asks before and tells after each request; seconds are durations."""

    def book(self) -> Turn:
        """Book a request, or tell how long to wait first."""

    def answered(self, turn: Turn) -> None:
        """A request that was booked has its answer."""

    def heed(self, left: Left, in_flight: int) -> None:
        """An answer says what is left, while so many requests of this process are in flight."""

    def pause(self, seconds: float) -> None:
        """Let nobody send anything for so long."""

    def free(self) -> float:
        """How many requests may be sent without a wait; infinite without a limit."""

    def news(self) -> list[str]:
        """What there is to say, once."""


class LocalBudget:
    """The usage by this process, or by all of this machine where an account is named."""

    def __init__(self, quota: Quota, account: str = "") -> None:
        self._quota = quota
        self._usage = SharedUsage(account) if account else Usage()
        self._lock = Lock()

    def book(self) -> Turn:
        """Book a request, or tell how long to wait first."""
        if not self._quota.windows and self._usage.is_untold():
            return Turn(time.monotonic())
        with self._lock, self._usage.held() as usage:
            return usage.book(self._quota, time.monotonic())

    def answered(self, turn: Turn) -> None:
        """A request that was booked has its answer."""
        if not turn.counts:
            return
        with self._lock, self._usage.held() as usage:
            usage.answered(turn, self._quota, time.monotonic())

    def heed(self, left: Left, in_flight: int) -> None:
        """An answer says what is left."""
        with self._lock, self._usage.held() as usage:
            usage.heed(left, in_flight, self._quota, time.monotonic())

    def pause(self, seconds: float) -> None:
        """Let nobody send anything for so long."""
        with self._lock, self._usage.held() as usage:
            usage.paused_until = max(usage.paused_until, time.monotonic() + seconds)

    def free(self) -> float:
        """How many requests may be sent without a wait, as the last request left it."""
        with self._lock:
            return self._usage.free(self._quota, time.monotonic())

    def news(self) -> list[str]:
        """What there is to say, once: that the file of the account could not be used."""
        told, self._usage.news = self._usage.news, []
        return told
