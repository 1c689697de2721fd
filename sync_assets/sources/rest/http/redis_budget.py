"""One budget for the processes of several machines, kept in a Redis.

The buckets of pyrate-limiter do not suffice: they count a request when it is sent, by the clock of
the sending machine, and know neither shared pauses nor what an API says is left.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from importlib.resources import files
from threading import Lock
from typing import Any, TypeVar

from sync_assets.base.errors import LONGEST_REST, ConfigurationError, brief
from sync_assets.sources.rest.http.budget import LocalBudget
from sync_assets.sources.rest.http.quota_headers import Left
from sync_assets.sources.rest.http.usage import Turn
from sync_assets.sources.rest.http.windows import MINUTE, Quota

SCRIPT = "budget.lua"
#: Seconds: an answer of the Redis, and how long one that is away is left alone.
TIMEOUT_SECONDS, AWAY_SECONDS = 3.0, 60.0
Given = TypeVar("Given")


class RedisBudget:
    """The usage by all who use one Redis; by this machine alone while it is unreachable."""

    def __init__(self, url: str, quota: Quota, account: str) -> None:
        redis = _module()
        try:
            client = redis.Redis.from_url(
                url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
        except ValueError as error:
            raise ConfigurationError(f"QUOTA__REDIS_URL is no URL of a Redis: {error}.") from None
        name = hashlib.sha256(account.encode()).hexdigest()[:20]
        self._keys = [f"sync_assets:{{{name}}}:{part}" for part in ("sent", "flying", "words")]
        self._script = client.register_script((files(__package__) / SCRIPT).read_text())
        self._failures: type[Exception] = redis.RedisError
        self._quota, self._local = quota, LocalBudget(quota, account)
        self._away_until = 0.0
        self._messages: list[str] = []
        self._lock = Lock()

    def book(self, *, leaves_room: bool = False) -> Turn:
        """Book a request, or return how long to wait first; see `Quota.leaving_room`."""
        name = uuid.uuid4().hex
        quota = self._quota.leaving_room if leaves_room else self._quota

        def there() -> Turn:
            wait, rests = self._call("book", name, *_windows(quota), quota.spared)
            return Turn(0.0, float(wait), rests=bool(rests), counts=True, name=name)

        return self._either(there, lambda: self._local.book(leaves_room=leaves_room))

    def answered(self, turn: Turn) -> None:
        """Note that a booked request has its response, where it was booked."""
        if not turn.name:
            self._local.answered(turn)
            return
        self._either(lambda: self._call("answered", turn.name), lambda: None)

    def heed(self, left: Left, in_flight: int) -> None:
        """Use what a response says is left."""
        seconds = (self._quota.longest or MINUTE) if left.seconds is None else left.seconds
        kept = self._quota.kept_of(left)
        values = (left.requests, min(seconds, LONGEST_REST), kept, in_flight)
        self._either(
            lambda: self._call("heed", "", *values), lambda: self._local.heed(left, in_flight)
        )

    def pause(self, seconds: float) -> None:
        """Block all requests for so many seconds."""
        self._either(lambda: self._call("pause", "", seconds), lambda: self._local.pause(seconds))

    def free(self) -> float:
        """Return how many requests may be sent without a wait; infinite without a limit."""
        return self._either(
            lambda: float(self._call("free", "", *_windows(self._quota)) or "inf"), self._local.free
        )

    def messages(self) -> list[str]:
        """Return new messages, each once: that the Redis does not answer."""
        messages, self._messages = self._messages, []
        return messages + self._local.messages()

    def _call(self, what: str, name: str, *values: object) -> Any:
        return self._script(keys=self._keys, args=[what, name, self._quota.longest, *values])

    def _either(self, there: Callable[[], Given], here: Callable[[], Given]) -> Given:
        """Return what the Redis says, or what this machine says while it is unreachable."""
        if time.monotonic() < self._away_until:
            return here()
        try:
            given = there()
        except self._failures as error:
            with self._lock:
                if time.monotonic() >= self._away_until:
                    self._messages.append(
                        f"the Redis of QUOTA__REDIS_URL does not answer ({brief(error)}): for "
                        f"{AWAY_SECONDS:.0f} s this machine keeps to the quota by itself"
                    )
                self._away_until = time.monotonic() + AWAY_SECONDS
            return here()
        return given


def _windows(quota: Quota) -> list[float]:
    """Return the windows of a quota as the script takes them."""
    return [number for window in quota.ours for number in (window.requests, window.seconds)]


def _module() -> Any:
    try:
        import redis
    except ImportError:
        raise ConfigurationError(
            "QUOTA__REDIS_URL is set, and the package redis is not installed. Install "
            "sync-assets[cluster] or sync-assets[kubernetes], or unset the variable."
        ) from None
    return redis
