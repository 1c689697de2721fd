"""A clock of its own for syncs: latency and waits for the quota move it, and so do ticks."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from sync_assets.sources.events import API
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.http.adapter import RateLimitedAdapter
from sync_assets.sources.rest.http.quota_headers import Left
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.http.usage import Turn, Usage
from sync_assets.sources.rest.http.windows import Quota
from sync_assets.sources.rest.list_result import ListResult

#: Path and the query of a request; the body of its answer.
Answer = Callable[[str, dict[str, list[str]]], bytes]
LATENCY = 0.1


class PlayedClock:
    """The time of an account. `tick` is called every so many seconds, by whoever lets time pass.

    It is called in a thread of its own, and never while it runs or while `holding` is set.
    """

    def __init__(self, now: float, every: float, tick: Callable[[], None]) -> None:
        self.now, self._every, self._tick = now, every, tick
        self._due = now + every
        self.holding = False

    def read(self) -> datetime:
        """The time, as `times.now` tells it."""
        return datetime.fromtimestamp(self.now, timezone.utc)

    def pass_until(self, moment: float) -> None:
        """Let time pass until a moment, if it is not later already."""
        while self._due <= moment and not self.holding:
            self.now = max(self.now, self._due)
            self.holding = True
            ticking = Tick(self._tick)
            ticking.start()
            ticking.join()
            self.holding = False
            if ticking.error is not None:
                raise ticking.error
            self._due = max(self._due, self.now - self._every) + self._every
        self.move_to(moment)

    def move_to(self, moment: float) -> None:
        """Let time pass without a tick."""
        self.now = max(self.now, moment)

    def next_tick(self) -> None:
        """Let time pass until the next tick has come."""
        self.pass_until(self._due)


class Tick(threading.Thread):
    """A tick in a thread of its own, as in a process of its own; it keeps its error."""

    def __init__(self, tick: Callable[[], None]) -> None:
        super().__init__(name="tick")
        self._call = tick
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call it."""
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            self.error = error


class PlayedStop:
    """The waits of a sync, by the clock of the account; nobody stops it.

    What the sync's own thread waits for is read while the warehouse is locked: no tick sees it.
    """

    def __init__(self, clock: PlayedClock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._loads = threading.current_thread()

    def check(self) -> None:
        """Nothing was asked to stop."""

    def wait(self, seconds: float) -> None:
        """Let time pass, beside other waits of the same sync."""
        until = self._clock.now + seconds
        with self._lock:
            if threading.current_thread() is self._loads:
                self._clock.move_to(until)
            else:
                self._clock.pass_until(until)

    def aborts(self, _: object) -> None:
        """Nothing to abort."""


class PlayedBudget:
    """The usage of the account by all its syncs, by its clock."""

    def __init__(self, usage: Usage, quota: Quota, clock: PlayedClock) -> None:
        self._usage, self._quota, self._clock = usage, quota, clock
        self._lock = threading.Lock()

    def book(self, *, leaves_room: bool = False) -> Turn:
        """Book a request, or tell how long to wait first."""
        quota = self._quota.leaving_room if leaves_room else self._quota
        with self._lock:
            return self._usage.book(quota, self._clock.now)

    def answered(self, turn: Turn) -> None:
        """A request has its answer."""
        with self._lock:
            self._usage.answered(turn, self._quota, self._clock.now)

    def heed(self, left: Left, in_flight: int) -> None:
        """No answer says what is left."""

    def pause(self, seconds: float) -> None:
        """No answer asks for a rest."""

    def free(self) -> float:
        """How many requests may be sent without a wait."""
        with self._lock:
            return self._usage.free(self._quota, self._clock.now)

    def messages(self) -> list[str]:
        """Nothing to say."""
        return []


class Answers(HTTPAdapter):
    """Sends a request nowhere: the account answers it once the latency has passed."""

    answer: Answer
    stop: PlayedStop

    def send(self, request: PreparedRequest, **_: Any) -> Response:  # type: ignore[override]
        """The answer, as `requests` makes it of what urllib3 has received."""
        self.stop.wait(LATENCY)
        url = urlsplit(request.url or "")
        body = self.answer(url.path, parse_qs(url.query))
        headers = {"Content-Type": "application/json"}
        raw = HTTPResponse(io.BytesIO(body), headers, 200, preload_content=False)
        return self.build_response(request, raw)


class PlayedAdapter(RateLimitedAdapter, Answers):
    """The project's adapter over such answers; counts requests by what they are for."""

    spent: Counter[str]

    def send(self, request: PreparedRequest, *, listing: ListResult, **kwargs: Any) -> Response:  # type: ignore[override]
        """Send a request, and count it."""
        response = super().send(request, listing=listing, **kwargs)
        self.spent["heads" if listing.is_head else listing.resource] += 1
        return response


def played_account(
    clock: PlayedClock, usage: Usage, answer: Answer, spent: Counter[str]
) -> Account:
    """The account of the events API as configured, over answers that are played."""
    account = Account(API)
    quota, stop = API.quota(account.settings), PlayedStop(clock)
    limiter = RateLimiter(
        account.settings.max_concurrency, quota, budget=PlayedBudget(usage, quota, clock)
    )
    limiter.stop = stop  # type: ignore[assignment]
    settings = account.settings
    adapter = PlayedAdapter(
        limiter, settings.max_concurrency, settings.max_wait, settings.heads_from_pages
    )
    adapter.answer, adapter.stop, adapter.spent = answer, stop, spent
    account.__dict__["connection"] = replace(account.connection, adapter=adapter)
    return account
