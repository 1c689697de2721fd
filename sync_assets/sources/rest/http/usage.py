"""The requests of an account, what its service says is left, and until when it asks to pause."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from sync_assets.base.errors import LONGEST_REST
from sync_assets.sources.rest.http.quota_headers import Left
from sync_assets.sources.rest.http.windows import MINUTE, Quota

#: Seconds after which a request in flight is believed to be one of a process that died.
LOST_SECONDS = 120.0
#: Seconds: by so much two answers may name the end of one window differently.
SAME_END_SECONDS = 2.0


@dataclass(frozen=True)
class Turn:
    """Whether a request may be sent now: it is booked for `at`, unless `wait` is above 0 seconds.

    `rests` says that the API asked for the wait, and for longer than the longest window. `counts`
    says that the response must be counted; `name` identifies the request in a Redis.
    """

    at: float
    wait: float = 0.0
    rests: bool = False
    counts: bool = False
    name: str = ""


@dataclass
class Usage:
    """The times of requests on one clock: `sent` by their responses, `flying` by their start.

    `left` is how many requests the service admits until `left_until`, if it says so.
    """

    sent: deque[float] = field(default_factory=deque)
    flying: list[float] = field(default_factory=list)
    paused_until: float = 0.0
    left: float = inf
    left_until: float = 0.0
    messages: list[str] = field(default_factory=list)

    @contextmanager
    def held(self) -> Iterator[Usage]:
        """Hold the usage, for this process alone."""
        yield self

    def is_empty(self) -> bool:
        """Whether nothing is known that could delay a request."""
        return False

    def book(self, quota: Quota, now: float) -> Turn:
        """Book a request if all windows and the service's own count have room for it."""
        if now < self.paused_until:
            return Turn(now, self.paused_until - now, rests=True)
        self._forget(quota, now)
        if self.left <= quota.spared:
            wait = self.left_until - now
            return Turn(now, wait, rests=wait > quota.longest)
        if (wait := self._full_for(quota, now)) > 0:
            return Turn(now, wait)
        if quota.windows:
            self.sent.append(now)
        if self.left < inf:
            self.left -= 1
        counts = bool(quota.windows) or self.left < inf
        if counts:
            self.flying.append(now)
        return Turn(now, counts=counts)

    def answered(self, turn: Turn, quota: Quota, now: float) -> None:
        """Count a request from its response on, because it may have arrived as late as that."""
        if turn.at in self.flying:
            self.flying.remove(turn.at)
        if quota.windows:
            if turn.at in self.sent:
                self.sent.remove(turn.at)
            self.sent.append(now)

    def heed(self, left: Left, in_flight: int, quota: Quota, now: float) -> None:
        """Use what a response says is left; that may not include other requests in flight."""
        others = max(len(self.flying), in_flight) - 1
        may = max(0, left.requests - max(0, others) - quota.kept_of(left))
        seconds = (quota.longest or MINUTE) if left.seconds is None else left.seconds
        until = now + min(seconds, LONGEST_REST)
        same = self.left < inf and abs(until - self.left_until) <= SAME_END_SECONDS
        self.left = min(self.left, may) if same else may
        self.left_until = max(self.left_until, until) if same else until

    def free(self, quota: Quota, now: float) -> float:
        """Return how many requests may be sent without a wait; infinite without a limit."""
        self._forget(quota, now)
        room = [
            window.requests - sum(1 for moment in self.sent if moment > now - window.seconds)
            for window in quota.ours
        ]
        return max(0, min([*room, self.left]))

    def _forget(self, quota: Quota, now: float) -> None:
        while self.sent and not now - quota.longest < self.sent[0] <= now:
            self.sent.popleft()
        if self.flying and not now - LOST_SECONDS < min(self.flying) <= now:
            self.flying = [moment for moment in self.flying if now - LOST_SECONDS < moment <= now]
        if now >= self.left_until:
            self.left = inf

    def _full_for(self, quota: Quota, now: float) -> float:
        """Return the seconds until each window has room; 0 or less if they have."""
        waits = [
            self.sent[-window.requests] + window.seconds - now
            for window in quota.ours
            if len(self.sent) >= window.requests
        ]
        return max(waits, default=0.0)
