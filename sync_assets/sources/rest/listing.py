"""The figures and the fate of one list."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from sync_assets.sources.rest import times


@dataclass(frozen=True)
class Problem:
    """A record that could not be loaded as declared: the record as JSON text, and the reason."""

    record: str
    reason: str


@dataclass
class Listing:
    """One list of one resource (below one parent, if it has any): its figures and its fate.

    `waited` and `seconds` are seconds, `bytes` the size of the bodies as sent, `rows` what is
    loaded: without duplicates and without records that cannot be (they are `problems`).
    `new_fields` are those that no column declares, `missing_fields` those that no record has.
    """

    resource: str
    parent: str | None = None
    rows: int = 0
    pages: int = 0
    requests: int = 0
    retries: int = 0
    duplicates: int = 0
    bytes: int = 0
    waited: float = 0.0
    read_at: datetime = field(default_factory=lambda: times.now())
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    new_fields: set[str] = field(default_factory=set)
    missing_fields: set[str] = field(default_factory=set)
    error: str | None = None

    @property
    def name(self) -> str:
        """`users of 42`, or `orders`: the list as messages call it."""
        return self.resource if self.parent is None else f"{self.resource} of {self.parent}"
