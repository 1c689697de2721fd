"""Keeps the usage of an account: for this process, for this machine, or in a Redis for several."""

from __future__ import annotations

import time
from threading import Lock
from typing import Protocol

from sync_assets.sources.rest.http.quota_headers import Left
from sync_assets.sources.rest.http.usage import Turn, Usage
from sync_assets.sources.rest.http.usage_file import SharedUsage
from sync_assets.sources.rest.http.windows import Quota


class Budget(Protocol):
    """The usage of an account, as a rate limiter needs it; all seconds are durations."""

    def book(self, *, leaves_room: bool = False) -> Turn:
        """Book a request, or return how long to wait first; see `Quota.leaving_room`."""

    def answered(self, turn: Turn) -> None:
        """Note that a booked request has its response."""

    def heed(self, left: Left, in_flight: int) -> None:
        """Use what a response says is left; `in_flight` counts this process's open requests."""

    def pause(self, seconds: float) -> None:
        """Block all requests for so many seconds."""

    def free(self) -> float:
        """Return how many requests may be sent without a wait; infinite without a limit."""

    def messages(self) -> list[str]:
        """Return new messages, each once."""


class LocalBudget:
    """The usage by this process, or by all of this machine if an account is named."""

    def __init__(self, quota: Quota, account: str = "") -> None:
        self._quota = quota
        self._usage = SharedUsage(account) if account else Usage()
        self._lock = Lock()

    def book(self, *, leaves_room: bool = False) -> Turn:
        """Book a request, or return how long to wait first; see `Quota.leaving_room`."""
        if not self._quota.windows and self._usage.is_empty():
            return Turn(time.monotonic())
        with self._lock, self._usage.held() as usage:
            quota = self._quota.leaving_room if leaves_room else self._quota
            return usage.book(quota, time.monotonic())

    def answered(self, turn: Turn) -> None:
        """Note that a booked request has its response."""
        if not turn.counts:
            return
        with self._lock, self._usage.held() as usage:
            usage.answered(turn, self._quota, time.monotonic())

    def heed(self, left: Left, in_flight: int) -> None:
        """Use what a response says is left."""
        with self._lock, self._usage.held() as usage:
            usage.heed(left, in_flight, self._quota, time.monotonic())

    def pause(self, seconds: float) -> None:
        """Block all requests for so many seconds."""
        with self._lock, self._usage.held() as usage:
            usage.paused_until = max(usage.paused_until, time.monotonic() + seconds)

    def free(self) -> float:
        """Return how many requests may be sent without a wait, as of the last request."""
        with self._lock:
            return self._usage.free(self._quota, time.monotonic())

    def messages(self) -> list[str]:
        """Return new messages, each once: that the account's file could not be used."""
        messages, self._usage.messages = self._usage.messages, []
        return messages
