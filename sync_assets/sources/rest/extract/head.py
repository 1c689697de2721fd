"""Where the head of a list ends: after the first page on which nothing is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto


class End(Enum):
    """Where the reading of a list ended: at its last page, that of its head, or too far down."""

    OF_LIST = auto()
    OF_HEAD = auto()
    TOO_FAR = auto()


@dataclass(frozen=True)
class Head:
    """What is read of the newest end of a list.

    `knows` says whether all of some keys were read before. A head ends `further` pages after the
    first page of which it does, and is given up after `most_pages`.
    """

    knows: Callable[[Sequence[str]], bool]
    most_pages: int
    further: int = 0

    def find_end(self) -> Callable[[Sequence[str] | None], End | None]:
        """A function that takes the keys of page after page and says where the head ends.

        The keys are None where a record of the page has none.
        """
        pages, known_at = 0, None

        def after(keys: Sequence[str] | None) -> End | None:
            nonlocal pages, known_at
            pages += 1
            if known_at is None and keys and self.knows(keys):
                known_at = pages
            if known_at is not None and pages >= known_at + self.further:
                return End.OF_HEAD
            return End.TOO_FAR if pages >= self.most_pages else None

        return after
