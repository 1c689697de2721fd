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
    """One list of a resource, below one parent if it has any: its figures, and why it failed.

    Cost: `seconds` is the whole time and `waited` the part of it spent waiting; `request_seconds`
    is the sum of the response times, and `bytes` the size of the bodies as sent. `read_at` is when
    the first page was requested. `resumed` counts the pages that an earlier, interrupted sync had
    read.

    Rows: `rows` are those that are loaded, without duplicates and without records that cannot be.
    `problems` are the first records with a problem; `problem_counts` counts all of them by kind.
    `new_fields` are fields that no column declares, `missing_fields` those that no record has.
    `rows_added`, `rows_changed` and `rows_deleted` compare the list with what the warehouse held
    before. `missed_by_heads` counts added rows that no head would have found. These four are None
    if they were not counted.

    Pages: `page_rows` are the records of each page, `rows_a_page` those of the last page that was
    followed by another, and `page_size` is the size that was requested.

    Heads: a list that `is_head` was read only to the first page without news; its `rows` are then
    those that the warehouse holds, and `proven_before` is the time of its last sweep, once the
    head is loaded. `renewed_at` is when the first `renewed_pages` of a sweep were read again,
    because a head was loaded meanwhile.

    `parent_row` is the digest of the parent's row, where the table is in parts: see `PartsRead`.

    `not_before` is the end of the pause that the API asked for, if the list failed for that.
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
    parent_row: str | None = None
    error: str | None = None
    not_before: datetime | None = None

    def quarantine(self, problems: Iterable[Problem]) -> None:
        """Count problems and keep the first ones, so that memory is bounded."""
        size = sum(len(problem.record) for problem in self.problems)
        for problem in problems:
            self.problem_counts[problem.kind] += 1
            size += len(problem.record)
            if (len(self.problems) < PROBLEMS_KEPT and size < KEPT_CHARACTERS) or not self.problems:
                self.problems.append(problem)

    def restart(self) -> None:
        """Reset the rows of a list that is read again; its cost stays."""
        self.rows = self.pages = self.resumed = self.duplicates = 0
        self.page_rows.clear()
        self.problems.clear()
        self.problem_counts.clear()

    @property
    def key(self) -> ListKey:
        """The key of the list."""
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
        """The number of records that could not be loaded as declared."""
        return self.problem_counts.total()

    @property
    def is_cut(self) -> bool:
        """Whether there are more problems than are kept."""
        return self.quarantined > len(self.problems)

    @property
    def left_out(self) -> int:
        """The number of records that have no row."""
        return sum(self.problem_counts[kind] for kind in LEFT_OUT)

    @property
    def conflicts(self) -> int:
        """The number of records that have no row because another record has their key."""
        return self.problem_counts[CONFLICT]

    @property
    def name(self) -> str:
        """The name of the list in messages: `users of 42`, or `orders`."""
        return self.key.name
