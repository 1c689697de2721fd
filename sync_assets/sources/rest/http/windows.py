"""The quota of an account: the requests it may send, in windows as its service counts them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_assets.sources.rest.http.quota_headers import Left

MINUTE = 60.0
#: The part of what is ours that long lists leave to others while they are read.
ROOM = 0.1
_WINDOW = re.compile(r"(\d+)/(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class RateWindow:
    """At most so many requests in any so many seconds; they may come all at once."""

    requests: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.requests:,} requests in {self.seconds:,.0f} s"


@dataclass(frozen=True)
class Quota:
    """All windows of an account, and the share of each that is left to people and other tools.

    `room` is the share of the rest that is left to other lists of the account. Without a window
    there is no limit.
    """

    windows: tuple[RateWindow, ...] = ()
    reserve: float = 0.0
    room: float = 0.0

    @property
    def ours(self) -> tuple[RateWindow, ...]:
        """The windows without the reserve and the room: what is sent at most."""
        return tuple(
            RateWindow(max(1, ours - int(ours * self.room + 1e-9)), window.seconds)
            for window in self.windows
            for ours in [window.requests - self.kept_free(window.requests)]
        )

    @property
    def leaving_room(self) -> Quota:
        """The quota for a long list: its requests leave room for those of other lists."""
        return replace(self, room=ROOM)

    @property
    def spared(self) -> int:
        """The number of requests in that room."""
        fewest = min((window.requests for window in self.windows), default=0)
        return int((fewest - self.kept_free(fewest)) * self.room + 1e-9)

    @property
    def longest(self) -> float:
        """The length of the longest window in seconds; 0 without one."""
        return max((window.seconds for window in self.windows), default=0.0)

    def kept_free(self, requests: int) -> int:
        """Return how many of so many requests are in reserve."""
        return int(requests * self.reserve + 1e-9)

    def kept_of(self, left: Left) -> int:
        """Return the reserve for a response that says what is left: of its limit, else of ours."""
        ours = min((window.requests for window in self.windows), default=0)
        return self.kept_free(left.limit or ours)


def per_minute(requests: int) -> Quota:
    """Return a quota of so many requests in any minute, without a reserve; 0 means no limit."""
    return Quota((RateWindow(requests, MINUTE),) if requests else ())


def parse_windows(text: str) -> tuple[RateWindow, ...]:
    """Parse windows such as `5000/1800 200/60`: requests/seconds, separated by white space.

    Raises `ValueError` for a word of another form.
    """
    found = [(word, _WINDOW.fullmatch(word)) for word in text.split()]
    for word, match in found:
        if match is None or not int(match[1]) or not float(match[2]):
            raise ValueError(f"{word} is no window")
    return tuple(RateWindow(int(match[1]), float(match[2])) for _, match in found if match)


def is_quota(text: str) -> bool:
    """Whether a text is a valid list of windows."""
    try:
        return bool(parse_windows(text))
    except ValueError:
        return False


def written(windows: Iterable[RateWindow]) -> str:
    """Format windows as a setting has them."""
    return " ".join(f"{window.requests}/{window.seconds:g}" for window in windows)
