"""A sync in rounds: lists that are complete when a round ends are loaded while others are read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from sync_assets.sources.rest.list_key import ListKey


@dataclass
class Round:
    """The lists that one load takes, and the resources with lists left for the next round.

    A `closed` round takes no further lists. `extracted` are the resources that it was for. A load
    waits for lists until `ends`, in seconds of the monotonic clock.
    """

    ends: float = inf
    taken: set[ListKey] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    extracted: Sequence[str] = ()
    closed: bool = False

    @classmethod
    def of(cls, seconds: float) -> Round:
        """Return a round that ends in so many seconds."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float | None:
        """Return the seconds until the end; None if there is no end."""
        return None if self.ends == inf else max(0.0, self.ends - time.monotonic())
