"""Decides whether and when a request is sent again.

Failures are retried up to `max_retries`; waits for 429 are limited by `max_wait` seconds instead.
"""

from __future__ import annotations

import random
import time

from sync_assets.base.errors import RestError, TransientError, asked_to_rest
from sync_assets.sources.rest.http.gate import Gate
from sync_assets.sources.rest.settings import ApiSettings

#: Shares of a wait, by which one request waits longer than all the others are held back.
JITTER = (0.02, 0.1)
MOST_DOUBLINGS = 30


class Retries:
    """The failures and waits of one request so far."""

    def __init__(self, settings: ApiSettings, gate: Gate) -> None:
        self._settings, self._gate = settings, gate
        self._failures = self._refusals = 0
        self._waited = 0.0
        self._refused_at: float | None = None

    def pause(self, error: Exception) -> float:
        """Return the seconds to wait now; raise `error` if it is not retried any more.

        Raises `RestError` if the API asks for a longer pause than `max_wait`. Closes the gate then,
        unless the API answers other requests meanwhile.
        """
        asked = error.retry_after if isinstance(error, TransientError) else None
        max_wait = self._settings.max_wait
        if asked is not None and asked > max_wait:
            self._gate.close(asked_to_rest(asked, max_wait))
            raise RestError(
                f"{error}, to be asked again in {asked:.0f} s: longer than max_wait, "
                f"{max_wait:.0f} s. Sync again later.",
                asked,
            )
        if isinstance(error, TransientError) and error.too_many:
            return self._rest(error, asked)
        self._failures += 1
        if self._failures > self._settings.max_retries:
            raise error
        return self._backoff(self._failures) if asked is None else asked

    def _rest(self, error: TransientError, asked: float | None) -> float:
        """Return the seconds to wait after a 429: as asked, or the window if that did not help."""
        since, now = self._gate.throttled(), time.monotonic()
        self._refusals += 1
        self._refused_at = self._refused_at or now
        window, max_wait = self._window(), self._settings.max_wait
        left = max_wait - max(self._waited, now - since)
        wait = min(window, left) if asked is None else asked
        if self._refusals > 1:
            wait = max(wait, min(window, left, self._backoff(self._refusals - 1)))
        if self._refusals > self._settings.max_retries:
            wait = max(wait, min(window, left))
        if left <= 0 or wait > left:
            rest = RestError(
                f"{error} for {now - min(since, self._refused_at):.0f} s and {self._refusals} "
                f"times: max_wait is {max_wait:.0f} s. Sync again later.",
                window if asked is None else asked,
            )
            if since <= self._refused_at:  # nothing else was answered meanwhile
                self._gate.close(RestError(f"not asked for, since {rest}", rest.seconds))
            raise rest
        self._waited += wait
        return wait

    def _backoff(self, failures: int) -> float:
        doubled = self._settings.backoff_factor * 2.0 ** min(failures - 1, MOST_DOUBLINGS)
        return min(doubled, self._settings.max_wait)

    def _window(self) -> float:
        """The API's own window in seconds, which `Api.connect` fills in."""
        return self._settings.rate_window or 0.0


def jittered(seconds: float) -> float:
    """Add a random share to a wait, so that requests that were not refused go first."""
    return seconds + random.uniform(*JITTER) * max(seconds, 1.0)
