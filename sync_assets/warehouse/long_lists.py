"""Reports the progress of long lists at intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

from sync_assets.sources.rest.list_state import ListState

#: Seconds: when a long list is first shown, and how often then.
FIRST_SECONDS, EVERY_SECONDS = 10.0, 30.0
#: Lists that are shown at once: those with the most pages left.
MOST_LISTS = 3


@dataclass
class _Known:
    """A list at its first report, and now."""

    since: float
    pages: int
    state: ListState


class LongLists:
    """The lists that are being read; it returns lines about those that take long, at intervals.

    `clock` returns seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._shown_at = -inf

    def page(self, state: ListState) -> Iterator[str]:
        """Receive a page of a list."""
        now = self._clock()
        known = self._known.setdefault(state.name, _Known(now, state.pages, state))
        known.state = state
        if now - self._shown_at < EVERY_SECONDS or now - known.since < FIRST_SECONDS:
            return
        self._shown_at = now
        long = [one for one in self._known.values() if now - one.since >= FIRST_SECONDS]
        long.sort(key=lambda one: one.state.pages_left or 0, reverse=True)
        yield from (_line(one, now) for one in long[:MOST_LISTS])

    def is_over(self, name: str) -> None:
        """Receive a list that is complete or failed."""
        self._known.pop(name, None)


def _line(known: _Known, now: float) -> str:
    state = known.state
    pace = (state.pages - known.pages) / (now - known.since)
    left, free = state.pages_left, state.free()
    of = f" of about {state.pages + left:,}" if left is not None else ""
    parts = [
        f"{state.name}: {state.rows:,} rows on {state.pages:,}{of} pages",
        f"{pace * 60:,.0f} pages a minute",
    ]
    if free < inf:
        parts.append(f"{free:,.0f} requests left in the quota")
    if (seconds := state.seconds_left(pace)) is not None:
        parts.append(f"about {_duration(seconds)} to go")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
