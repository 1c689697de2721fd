"""What the warehouse shows of a box office: compared with its lists after each load."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from sync_assets.sources.rest.list_result import ListResult
from sync_assets_tests.benchmark.million.box_office import BoxOffice, Happening, Lived

HELD = "SELECT CAST(substr(id, 4) AS BIGINT) AS number, {column} AS said FROM events.{name}"
#: Rows that are not as the list had them, though it has not changed since a moment.
DIFFERENCES = """
SELECT count(*) FROM listed FULL JOIN held USING (number)
WHERE coalesce(listed.said, 0) <> coalesce(held.said, 0) AND coalesce(changed, 0) <= ?
"""


@dataclass
class Ledger:
    """How late the warehouse showed what happened, in seconds by its kind.

    `proofs` are when the sweeps of each list began and were loaded, `differences` the rows that
    were wrong then, `late` those in front that a read was to bring and did not, and `counted` what
    sweeps said that heads had missed and what was deleted.
    """

    office: BoxOffice
    query: Callable[..., Any]
    lags: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    proofs: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    counted: Counter[str] = field(default_factory=Counter)
    differences: int = 0
    late: int = 0

    def loaded(self, listing: ListResult, now: float) -> None:
        """Look at what a read of a list brought."""
        lived = self.office.lists[listing.resource]
        if not listing.is_head:
            began = listing.read_at.timestamp()
            self.proofs[listing.resource].append((began, now))
            self.differences += self._differences(lived, listing.read_at)
            self.counted["stray"] += listing.missed_by_heads or 0
            self.counted["delete"] += listing.rows_deleted or 0
        self._look(lived, listing, now)

    def hidden(self, kind: str) -> list[Happening]:
        """What of a kind happened and was not shown."""
        return [
            one for lived in self.office.lists.values() for one in lived.happened
            if one.kind == kind
        ]  # fmt: skip

    def _look(self, lived: Lived, listing: ListResult, now: float) -> None:
        """Note what is shown of all that happened."""
        numbers = [one.number for one in lived.happened]
        ids = [f"{lived.kind.prefix}{number:09d}" for number in numbers]
        held = HELD.format(column=lived.kind.column, name=lived.kind.name)
        where = " WHERE id IN (SELECT unnest(?))"
        said = dict(self.query(held + where, ids)) if ids else {}
        waiting = []
        for one in lived.happened:
            if said.get(one.number, 0) == lived.said[one.number]:
                self.lags[one.kind].append(now - one.at)
                continue
            self.late += one.kind == "front" and one.at < listing.fresh_at.timestamp()
            waiting.append(one)
        lived.happened[:] = waiting

    def _differences(self, lived: Lived, began: datetime) -> int:
        held = HELD.format(column=lived.kind.column, name=lived.kind.name)
        ((count,),) = self.query(
            f"WITH held AS ({held}){DIFFERENCES}",
            int(began.timestamp() * 1000),
            listed=lived.table(),
        )
        return int(count)


def query_of(file: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A function that asks a DuckDB file, with values and tables by their names."""

    def query(sql: str, *values: Any, **tables: pa.Table) -> list[tuple[Any, ...]]:
        with duckdb.connect(file) as connection:
            for name, table in tables.items():
                connection.register(name, table)
            return connection.execute(sql, values).fetchall()

    return query
