"""Decides where the head of a list ends: after the first page on which no row is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto


class End(Enum):
    """Where the reading of a list ended: at its last page, after its head, or at a page limit."""

    OF_LIST = auto()
    OF_HEAD = auto()
    TOO_FAR = auto()


@dataclass(frozen=True)
class Head:
    """How far the newest end of a list is read.

    `knows` says whether all given keys were read before. A head ends `further` pages after the
    first page whose keys are all known. It is given up after `most_pages`.
    """

    knows: Callable[[Sequence[str]], bool]
    most_pages: int
    further: int = 0

    def find_end(self) -> Callable[[Sequence[str] | None], End | None]:
        """Return a function that takes the keys of each page in turn and says where the head ends.

        The keys of a page are None if one of its records has no key.
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
