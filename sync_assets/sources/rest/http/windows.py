"""The quota of an account: how many requests it may send, in windows as its service counts them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_assets.sources.rest.http.quota_headers import Left

MINUTE = 60.0
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

    Without a window there is no limit.
    """

    windows: tuple[RateWindow, ...] = ()
    reserve: float = 0.0

    @property
    def ours(self) -> tuple[RateWindow, ...]:
        """The windows without the reserve: what this project sends at most."""
        return tuple(
            RateWindow(max(1, window.requests - self.kept_free(window.requests)), window.seconds)
            for window in self.windows
        )

    @property
    def longest(self) -> float:
        """The seconds of the longest window; 0 without one."""
        return max((window.seconds for window in self.windows), default=0.0)

    def kept_free(self, requests: int) -> int:
        """How many of so many requests the reserve is."""
        return int(requests * self.reserve + 1e-9)

    def kept_of(self, left: Left) -> int:
        """The reserve where an answer says what is left: of the limit that it names, or of ours."""
        ours = min((window.requests for window in self.windows), default=0)
        return self.kept_free(left.limit or ours)


def per_minute(requests: int) -> Quota:
    """A quota of so many requests in any minute, none of them in reserve; 0 is no limit."""
    return Quota((RateWindow(requests, MINUTE),) if requests else ())


def parse_windows(text: str) -> tuple[RateWindow, ...]:
    """The windows in `5000/1800 200/60`: requests/seconds, with white space between.

    Raises `ValueError` where a word is none.
    """
    found = [(word, _WINDOW.fullmatch(word)) for word in text.split()]
    for word, match in found:
        if match is None or not int(match[1]) or not float(match[2]):
            raise ValueError(f"{word} is no window")
    return tuple(RateWindow(int(match[1]), float(match[2])) for _, match in found if match)


def is_quota(text: str) -> bool:
    """Whether a text names windows."""
    try:
        return bool(parse_windows(text))
    except ValueError:
        return False


def written(windows: Iterable[RateWindow]) -> str:
    """Windows as a setting says them."""
    return " ".join(f"{window.requests}/{window.seconds:g}" for window in windows)
