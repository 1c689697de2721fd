"""Merges many small lists into a few large tables for dlt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from sync_assets.sources.rest.extract.lists import Outcome

BATCH = 20_000
END = Outcome(None)


class Batches:
    """Gathers the rows of small lists, because dlt has a fixed cost for each table.

    Outcomes may come in any order. `END` says that no more outcomes will be announced.
    """

    def __init__(self) -> None:
        self._outstanding, self._rows = 1, 0
        self._tables: list[pa.Table] = []

    def expect(self, read: Callable[[], Outcome]) -> Callable[[], Outcome]:
        """Announce one more outcome, so that the last one can be recognised."""
        self._outstanding += 1
        return read

    def __call__(self, item: Any) -> Iterator[pa.Table]:
        """Yield tables in batches of `BATCH` rows; yield the rest with the last outcome."""
        if not isinstance(item, Outcome):
            yield item
            return
        self._outstanding -= 1
        for table in item.spool.tables() if item.spool else ():
            self._tables.append(table)
            self._rows += table.num_rows
            if self._rows >= BATCH:
                yield self._gathered()
        if not self._outstanding and self._tables:
            yield self._gathered()

    def _gathered(self) -> pa.Table:
        tables, self._tables, self._rows = self._tables, [], 0
        return pa.concat_tables(tables, promote_options="default").combine_chunks()
