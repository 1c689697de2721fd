"""One list of an API: rows numbered in order of creation, listed newest first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """The rows of some consecutive ordinals, made when asked for, so that size costs no memory."""

    ordinals: range
    row: Callable[[int], Row]
    prefix: str = ""
    offset: int = 0

    def __len__(self) -> int:
        return len(self.ordinals)

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, reversed(self.ordinals))

    def before(self, ordinal: int, limit: int) -> list[Row]:
        """Return up to `limit` rows older than an ordinal, newest first."""
        end = min(max(ordinal, self.ordinals.start), self.ordinals.stop)
        start = max(end - limit, self.ordinals.start)
        return [self.row(number) for number in range(end - 1, start - 1, -1)]

    def id_of(self, ordinal: int) -> str:
        """Return the id of a row."""
        return f"{self.prefix}{self.offset + ordinal}"

    def ordinal_of(self, row_id: str) -> int | None:
        """Return the ordinal an id stands for, listed or not, or None if it is no id of this."""
        digits = row_id.removeprefix(self.prefix)
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return None
        ordinal = int(digits) - self.offset
        return ordinal if self.id_of(ordinal) == row_id else None
