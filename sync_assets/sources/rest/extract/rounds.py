"""A sync in rounds: what is complete at the end of a round is loaded while the rest is read on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from sync_assets.sources.rest.list_key import ListKey


@dataclass
class Round:
    """The lists that a load takes, and the resources of which some are left for the next round.

    Once it is `closed` it takes no further lists. `extracted` are the resources that it was for.
    `ends` is a moment of the monotonic clock, until which a load waits for lists that are read.
    """

    ends: float = inf
    taken: set[ListKey] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    extracted: Sequence[str] = ()
    closed: bool = False

    @classmethod
    def of(cls, seconds: float) -> Round:
        """A round that ends in some seconds."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float | None:
        """The seconds until its end; None where it has none."""
        return None if self.ends == inf else max(0.0, self.ends - time.monotonic())
