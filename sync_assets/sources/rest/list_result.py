"""The result of reading one list: its figures, and the error if it failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sync_assets.base import times
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.paging.page_size import PageSize

#: What became of a record with a problem: a value was left out of its row, or the row itself,
#: for want of a required value or because another record of the list has its key.
VALUE, REQUIRED, CONFLICT = "value", "required", "conflict"
LEFT_OUT = frozenset({REQUIRED, CONFLICT})
PROBLEMS_KEPT, KEPT_CHARACTERS = 1_000, 16 * 1024 * 1024


@dataclass(frozen=True)
class Problem:
    """A record that could not be loaded as declared: its JSON, the reason, and the kind.

    `kind` is `VALUE`, `REQUIRED` or `CONFLICT`; records of the kinds in `LEFT_OUT` have no row.
    """

    record: str
    reason: str
    kind: str = VALUE


@dataclass
class ListResult:
    """One list of one resource (below one parent, if it has any): its figures and its fate.

    `waited` and `seconds` are seconds, `request_seconds` those that the answers took, added up;
    `bytes` is the size of the bodies as sent, `rows` what is loaded: without duplicates and
    without records that cannot be. `read_at` is when the first page was asked for, `resumed` how
    many of the pages an earlier sync had read that was cut off. `problems` are the first records
    with one; `problem_counts` counts all of them, by kind. `not_before` is until when the API asked
    to be left alone, if that is why the list failed.
    `new_fields` are those that no column declares, `missing_fields` those that no record has.
    `is_head` says that it was not read to its end, but to the first page without news; `rows` is
    what the warehouse holds of it then; `proven_before` is when its list was last read to its end,
    once a head is loaded. `renewed_at` is when its first `renewed_pages` were read
    again, at the end of a sweep during which a head was loaded. `page_rows` are the
    records that each page brought, `rows_a_page` the rows of the latest page that another one
    followed, `page_size` what pages were asked for.
    `rows_added`, `rows_changed` and `rows_deleted` compare it with what was held before, and
    `missed_by_heads` counts those added where no head would have found them; None where nobody
    counted.
    """

    resource: str
    parent: str | None = None
    rows: int = 0
    pages: int = 0
    resumed: int = 0
    requests: int = 0
    retries: int = 0
    duplicates: int = 0
    bytes: int = 0
    waited: float = 0.0
    request_seconds: float = 0.0
    read_at: datetime = field(default_factory=lambda: times.now())
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    problem_counts: Counter[str] = field(default_factory=Counter)
    new_fields: set[str] = field(default_factory=set)
    missing_fields: set[str] = field(default_factory=set)
    is_head: bool = False
    proven_before: datetime | None = None
    renewed_at: datetime | None = None
    renewed_pages: int = 0
    page_rows: list[int] = field(default_factory=list)
    rows_a_page: int | None = None
    page_size: PageSize = field(default_factory=PageSize)
    rows_added: int | None = None
    rows_changed: int | None = None
    rows_deleted: int | None = None
    missed_by_heads: int | None = None
    error: str | None = None
    not_before: datetime | None = None

    def quarantine(self, problems: Iterable[Problem]) -> None:
        """Count problems, and keep the first ones: memory stays flat, however many there are."""
        size = sum(len(problem.record) for problem in self.problems)
        for problem in problems:
            self.problem_counts[problem.kind] += 1
            size += len(problem.record)
            if (len(self.problems) < PROBLEMS_KEPT and size < KEPT_CHARACTERS) or not self.problems:
                self.problems.append(problem)

    def restart(self) -> None:
        """Forget what came of a list that is read again; what it cost stays."""
        self.rows = self.pages = self.resumed = self.duplicates = 0
        self.page_rows.clear()
        self.problems.clear()
        self.problem_counts.clear()

    @property
    def key(self) -> ListKey:
        """Which list it is."""
        return ListKey(self.resource, self.parent)

    @property
    def fresh_at(self) -> datetime:
        """As of when the rows in front are loaded."""
        return self.renewed_at or self.read_at

    @property
    def proven_at(self) -> datetime | None:
        """As of when all rows were proven; None where a head is not loaded yet."""
        return self.proven_before if self.is_head else self.read_at

    @property
    def quarantined(self) -> int:
        """How many records could not be loaded as declared."""
        return self.problem_counts.total()

    @property
    def is_cut(self) -> bool:
        """Whether there are more problems than are kept."""
        return self.quarantined > len(self.problems)

    @property
    def left_out(self) -> int:
        """How many records have no row."""
        return sum(self.problem_counts[kind] for kind in LEFT_OUT)

    @property
    def conflicts(self) -> int:
        """How many have none because another record of the list has their key."""
        return self.problem_counts[CONFLICT]

    @property
    def name(self) -> str:
        """`users of 42`, or `orders`: the list as messages call it."""
        return self.key.name
